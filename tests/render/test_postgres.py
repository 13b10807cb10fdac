"""The database of the chart's own: its volume, its exporter, and nothing of it where it is off."""

from __future__ import annotations

import json

import pytest

from tests.render.chart import Object, of_kind, one, render, scenario, title

pytestmark = pytest.mark.render


def test_postgres_keeps_its_data_on_a_claim_below_the_mount(minimal: list[Object]) -> None:
    spec = one(minimal, "StatefulSet", "todo-chatbot-postgres")["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    env = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (claim,) = spec["volumeClaimTemplates"]
    assert mounts["/var/lib/postgresql/data"] == claim["metadata"]["name"]
    assert env["PGDATA"].startswith("/var/lib/postgresql/data/")
    assert {"/tmp", "/var/run/postgresql"} < set(mounts)
    assert env["POSTGRES_USER"] == env["POSTGRES_DB"] == "todo"
    assert "--host=127.0.0.1" in container["startupProbe"]["exec"]["command"]


def test_the_claim_of_postgres_never_changes_with_the_chart() -> None:
    labels = one(render(), "StatefulSet", "todo-chatbot-postgres")["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"]
    assert set(labels) == {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component"}


def test_no_postgres_object_is_left_when_the_database_is_outside() -> None:
    left = [title(o) for o in render({"postgres": {"enabled": False}}) if "postgres" in json.dumps(o)]
    assert left == []


@pytest.mark.parametrize("monitored", [True, False])
@pytest.mark.parametrize("repository", ["postgres-exporter", ""])
def test_the_exporter_runs_where_prometheus_does_and_an_image_is_named(monitored: bool, repository: str) -> None:
    image = {"repository": repository, "tag": "v1" if repository else ""}
    objects = render({"monitoring": {"enabled": monitored}, "postgres": {"exporter": {"image": image}}})
    runs = monitored and bool(repository)
    pod = one(objects, "StatefulSet", "todo-chatbot-postgres")["spec"]["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["postgres", *(["exporter"] if runs else [])]
    ports = {port["name"] for port in one(objects, "Service", "todo-chatbot-postgres")["spec"]["ports"]}
    assert ("metrics" in ports) == runs
    monitors = [monitor["metadata"]["name"] for monitor in of_kind(objects, "ServiceMonitor")]
    assert ("todo-chatbot-postgres" in monitors) == runs


def test_the_exporter_signs_in_with_the_databases_own_secret() -> None:
    pod = one(scenario("monitored"), "StatefulSet", "todo-chatbot-postgres")["spec"]["template"]["spec"]
    postgres, exporter = ({entry["name"]: entry for entry in container["env"]} for container in pod["containers"])
    assert exporter["PGPASSWORD"]["valueFrom"] == postgres["POSTGRES_PASSWORD"]["valueFrom"]
    user, database = (postgres[key]["value"] for key in ("POSTGRES_USER", "POSTGRES_DB"))
    assert exporter["DATA_SOURCE_NAME"]["value"] == f"postgresql://{user}@127.0.0.1:5432/{database}?sslmode=disable"

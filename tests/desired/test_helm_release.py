"""The chart's values as the tool sets them: each image and Secret at the place where the chart looks for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.config.settings import load_settings, parse_settings, read_text
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.desired.helm_release import HelmRelease, app_release, provisional_release
from scripts.desired.images import DATABASE, EXPORTER, BaseImage, Image
from scripts.desired.secrets import Secret, value_of
from scripts.desired.service_values import service_name
from scripts.kubernetes import helm
from tests.config.test_services import settings_of
from tests.projects import project_on
from tests.render.chart import any_helm

BASE = BaseImage("base", "base", ("sha256:1",))


def image(name: str) -> Image:
    return Image(name, f"todo-{name}", "h1", ROOT, ROOT / "Dockerfile", BASE)


LONGEST = "a" * 36


def values(*names: str, monitoring: bool = False, requests_in_flight: int = 0) -> dict[str, Any]:
    settings = load_settings()
    settings = settings.model_copy(update={"chart": settings.chart.model_copy(update={"values": {}})})  # what the tool adds, alone
    adapter = settings.monitoring.adapter.model_copy(update={"requests_in_flight": requests_in_flight})
    settings = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"adapter": adapter})})
    secrets = [Secret(DATABASE, "database-1", {"POSTGRES_PASSWORD": "x"})]
    return dict(app_release(settings, [image(name) for name in names], secrets, monitoring=monitoring).values)


@pytest.mark.unit
def test_a_service_gets_its_image_and_an_empty_secret_where_it_has_no_keys() -> None:
    name = next(iter(load_settings().services))
    services = values(name)["services"]
    assert services[name]["image"] == {"repository": f"todo-{name}", "tag": "h1"}
    assert services[name]["secret"] == {"name": "", "keys": []}


@pytest.mark.unit
def test_the_database_is_on_with_its_image_and_secret_and_off_without() -> None:
    of_the_url = {"user": "todo", "database": "todo"}
    assert values()["postgres"] == {"enabled": False, **of_the_url}
    assert values(DATABASE)["postgres"] == {
        **of_the_url,
        "enabled": True,
        "image": {"repository": "todo-postgres", "tag": "h1"},
        "secret": {"name": "database-1", "keys": ["POSTGRES_PASSWORD"]},
    }


@pytest.mark.unit
def test_the_exporters_image_stands_under_the_database_and_makes_no_service() -> None:
    made = values(DATABASE, EXPORTER, monitoring=True)
    assert made["postgres"]["exporter"] == {"image": {"repository": "todo-postgres-exporter", "tag": "h1"}}
    assert set(made) == {"services", "postgres", "monitoring", "fullnameOverride"}
    assert made["monitoring"] == {"enabled": True, "namespace": "monitoring"}


@pytest.mark.unit
@pytest.mark.parametrize(("monitoring", "wanted", "asked"), [(True, 10, 10), (True, 0, None), (False, 10, None)])
def test_autoscalers_ask_for_requests_in_flight_where_something_answers(monitoring: bool, wanted: int, asked: int | None) -> None:
    made = values(DATABASE, monitoring=monitoring, requests_in_flight=wanted)
    assert made.get("serviceDefaults") == ({"autoscaling": {"requestsInFlight": asked}} if asked else None)


@pytest.mark.render
@pytest.mark.parametrize("name", ["todo", LONGEST])
def test_the_objects_of_any_release_have_the_names_that_the_tool_asks_for(name: str) -> None:
    settings = load_settings().model_copy(update={"release": name})
    images = [image(each) for each in (*settings.services, DATABASE)]
    secrets = [Secret(each.service, f"{name}-{each.service}-1", {"POSTGRES_PASSWORD": "x"}) for each in images]
    release = app_release(settings, images, secrets, monitoring=False)
    argv = [any_helm(), "template", name, str(release.chart), "--values", "-"]
    done = subprocess.run(argv, input=release.values_json, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.safe_load_all(done.stdout) if each]
    services = {each["metadata"]["name"] for each in objects if each["kind"] == "Service"}
    assert services == {service_name(name, each.service) for each in images}
    url = value_of("DATABASE_URL", settings, project_on(None, settings, POSTGRES_PASSWORD="x").env)
    assert f"@{service_name(name, DATABASE)}:5432/" in url


@pytest.mark.unit
def test_a_release_name_that_would_be_cut_is_refused() -> None:
    assert parse_settings(read_text().replace("\nrelease: todo-chatbot", f"\nrelease: {LONGEST}")).release == LONGEST
    with pytest.raises(InputError, match="release"):
        parse_settings(read_text().replace("\nrelease: todo-chatbot", f"\nrelease: {LONGEST}a"))


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    for name in ("Chart.yaml", "values.yaml", "README.md", "templates/a.yaml", "templates/a.yaml.swp", "ci/all.yaml", "docs/a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("before")
    (tmp_path / ".helmignore").write_text("# a comment\n*.swp\nci/\n/docs/*.txt\n")
    return tmp_path


@pytest.mark.unit
@pytest.mark.parametrize("name", ["Chart.yaml", "values.yaml", "templates/a.yaml", "templates/ci"])
def test_an_edit_of_what_helm_renders_changes_the_fingerprint(chart: Path, name: str) -> None:
    before = HelmRelease("r", "n", chart, {}).fingerprint
    (chart / name).write_text("after")
    assert HelmRelease("r", "n", chart, {}).fingerprint != before


@pytest.mark.unit
@pytest.mark.parametrize("name", ["README.md", "ci/all.yaml", "ci/new.yaml", "templates/a.yaml.swp", "docs/a.txt"])
def test_an_edit_of_what_helm_does_not_package_or_render_changes_no_fingerprint(chart: Path, name: str) -> None:
    before = HelmRelease("r", "n", chart, {}).fingerprint
    (chart / name).write_text("after")
    assert HelmRelease("r", "n", chart, {}).fingerprint == before


@pytest.mark.unit
def test_the_fingerprint_counts_the_values_and_a_packaged_chart(tmp_path: Path) -> None:
    archive = tmp_path / "chart.tgz"
    archive.write_bytes(b"1")
    one = HelmRelease("r", "n", archive, {"a": 1}).fingerprint
    assert one != HelmRelease("r", "n", archive, {"a": 2}).fingerprint
    archive.write_bytes(b"2")
    assert one != HelmRelease("r", "n", archive, {"a": 1}).fingerprint
    assert json.loads(HelmRelease("r", "n", archive, {"a": 1}).values_json) == {"a": 1}


@pytest.fixture
def helm_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "helm").symlink_to(any_helm())
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.render
@pytest.mark.usefixtures("helm_on_path")
def test_the_chart_judges_the_settings_before_there_are_images() -> None:
    assert "to-come" in helm.render(provisional_release(load_settings(), monitoring=True), load_settings().kubernetes_version)


@pytest.mark.render
@pytest.mark.usefixtures("helm_on_path")
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            "WORDS: 'Hello {{name}}'",
            'helm: the value `Hello {{name}}` is not a valid template: function "name" not defined\n  -> write a literal {{ as',
        ),
        ("WORDS: 'Hello {{.a.b}}'", "helm: the value `Hello {{.a.b}}` is not a valid template: nil pointer evaluating interface {}.b"),
        ("WORDS: '{{ a: 1'", "helm: the value `{{ a: 1` is not a valid template: "),
        ("WORDS: 3", "at '/serviceDefaults/env/WORDS': got number, want null or string"),
    ],
)
def test_what_the_chart_refuses_is_told_in_its_words(changed: str, says: str) -> None:
    settings = parse_settings(read_text().replace("    test:\n", f"    serviceDefaults: {{env: {{{changed}}}}}\n    test:\n"))
    with pytest.raises(TaskError) as error:
        helm.render(provisional_release(settings, monitoring=False), settings.kubernetes_version)
    assert says in str(error.value)


@pytest.mark.render
@pytest.mark.usefixtures("helm_on_path")
def test_the_chart_keeps_a_double_brace_of_a_service_as_it_is() -> None:
    settings = parse_settings(read_text().replace("LOG_LEVEL: info", "LOG_LEVEL: 'Hello {{name}}'"))
    assert "Hello {{name}}" in helm.render(provisional_release(settings, monitoring=False), settings.kubernetes_version)


AUTHORITY = "-----BEGIN CERTIFICATE-----\nTUFSS0VE\n-----END CERTIFICATE-----\n"


@pytest.mark.unit
@pytest.mark.parametrize(("named", "wanted", "there"), [(True, True, True), (True, False, False), (False, True, False)])
def test_pods_trust_what_builds_trust(named: bool, wanted: bool, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("# a comment\n" + AUTHORITY)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem") if named else "")
    settings = load_settings()
    settings = settings.model_copy(update={"chart": settings.chart.model_copy(update={"trust_extra_ca": wanted})})
    trusted = project_on(None, settings)._trusted_ca()
    assert bool(trusted) is there
    if there:
        assert trusted.endswith(AUTHORITY)
        assert trusted.count("BEGIN CERTIFICATE") > 50, "the usual ones stay trusted"
        assert "#" not in trusted
        release = app_release(settings, [image("backend")], [], monitoring=False, trusted_ca=trusted)
        assert release.values["trustedCa"] == trusted


@pytest.mark.render
@pytest.mark.usefixtures("helm_on_path")
def test_the_chart_takes_a_page_of_any_text_a_worker_and_another_user() -> None:
    page = {"image": "page:1", "port": 80, "public": True}
    jobs = {"image": "jobs:1", "user": "1000:0", "probes": {"live": ["test", "-f", "/tmp/x"]}, "init": ["migrate"], "calls": ["page"]}
    rendered = helm.render(provisional_release(settings_of({"page": page, "jobs": jobs}), monitoring=True), "v1.36.0")
    objects = [each for each in yaml.safe_load_all(rendered) if each]
    assert {each["metadata"]["name"] for each in objects if each["kind"] == "Service"} == {"todo-chatbot-page", "todo-chatbot-postgres"}
    (pod,) = (o["spec"]["template"]["spec"] for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"].endswith("jobs"))
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (1000, 0)
    assert [each for each in objects if each["kind"] == "HorizontalPodAutoscaler"] == [], "a taken image may not be made for two pods"

"""Which values the chart takes, which it refuses and with what words, and how a service's settings go over the defaults."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scripts.config.settings import load_settings
from scripts.desired.helm_release import provisional_release
from tests.render.chart import ALL, CHART, MINIMAL, SCENARIOS, Object, of_kind, one, render, render_text, template
from tests.render.schema import SCHEMA, properties, resolved

pytestmark = pytest.mark.render

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())


def backend(**settings: Any) -> dict[str, Any]:
    return {"services": {"backend": settings}}


REFUSED_BY_SCHEMA = {
    "unknown key at the top": ({"replicaCount": 2}, "'replicaCount' not allowed"),
    "unknown key of a service": (backend(imag={}), "'/services/backend': additional properties 'imag' not allowed"),
    "unknown key of a default": ({"serviceDefaults": {"extra": 1}}, "'extra' not allowed"),
    "unknown key deep inside": (backend(probes={"readiness": {"url": "/"}}), "'url' not allowed"),
    "secret with a value": (backend(secret={"value": "x"}), "'value' not allowed"),
    "secret as a string": (backend(secret="name"), "got string, want object"),
    "secret keys as a map": (backend(secret={"keys": {"A": "b"}}), "got object, want array"),
    "secret key that is no variable name": (backend(secret={"keys": ["NOT-A-NAME"]}), "does not match pattern"),
    "secret key twice": (backend(secret={"keys": ["A", "A"]}), "items at 0 and 1 are equal"),
    "secret name with a capital": (backend(secret={"name": "Mine"}), "does not match pattern"),
    "image as a string": (backend(image="todo:1"), "got string, want object"),
    "image tag as a number": (backend(image={"tag": 12}), "got number, want string"),
    "image tag with a space": (backend(image={"tag": "a b"}), "does not match pattern"),
    "image digest cut short": (backend(image={"digest": "sha256:abc"}), "does not match pattern"),
    "repository with a capital": (backend(image={"repository": "Todo"}), "does not match pattern"),
    "pull policy": (backend(image={"pullPolicy": "Sometimes"}), "value must be one of"),
    "port out of range": (backend(port=70000), "maximum: got 70,000, want 65,535"),
    "port as a string": (backend(port="8000"), "got string, want integer"),
    "no replicas": (backend(replicas=0), "minimum: got 0, want 1"),
    "environment value as a number": (backend(env={"A": 1}), "got number, want null or string"),
    "environment name": (backend(env={"A-B": "c"}), "'A-B' not allowed"),
    "init container without command": (backend(initContainers={"prepare": {}}), "missing property 'command'"),
    "init container with no words": (backend(initContainers={"prepare": {"command": []}}), "minItems"),
    "writable path without size": (backend(writable={"data": {"path": "/data"}}), "missing property 'size'"),
    "writable path that is relative": (backend(writable={"data": {"path": "data", "size": "1Mi"}}), "does not match"),
    "size in a unit of no meaning": (backend(writable={"data": {"path": "/data", "size": "64MB"}}), "does not match"),
    "memory without a unit": (backend(resources={"limits": {"memory": "256"}}), "does not match pattern"),
    "cpu of zero": (backend(resources={"limits": {"cpu": 0}}), "exclusiveMinimum"),
    "resource of no meaning": (backend(resources={"limits": {"gpu": "1"}}), "'gpu' not allowed"),
    "probe period of zero": (backend(probes={"liveness": {"periodSeconds": 0}}), "minimum: got 0, want 1"),
    "probe path that is relative": (backend(probes={"liveness": {"path": "health"}}), "does not match pattern"),
    "no sleep before the end": (backend(shutdown={"sleepSeconds": 0}), "minimum: got 0, want 1"),
    "toleration with an unknown effect": (backend(tolerations=[{"effect": "Never"}]), "value must be one of"),
    "affinity of no meaning": (backend(affinity={"moonAffinity": {}}), "value must be one of"),
    "spread without a key": (backend(topologySpreadConstraints=[{"maxSkew": 1}]), "missing properties"),
    "node label that is a number": (backend(nodeSelector={"pool": 1}), "got number, want null or string"),
    "pull Secret as a string": (backend(imagePullSecrets=["registry"]), "got string, want object"),
    "no old revisions": (backend(rollout={"revisionHistoryLimit": 0}), "minimum: got 0, want 1"),
    "autoscaling without maximum": (backend(autoscaling={"maxReplicas": 0}), "minimum: got 0, want 1"),
    "service name with a capital": ({"services": {"Api": {}}}, "'/services': additional properties 'Api' not allowed"),
    "service name too long": ({"services": {"a" * 21: {}}}, "not allowed"),
    "address without mask": (backend(addresses=[{"cidr": "10.0.0.1", "ports": [1]}]), "does not match"),
    "address without ports": (backend(addresses=[{"cidr": "10.0.0.1/32"}]), "missing property 'ports'"),
    "address with no port": (backend(addresses=[{"cidr": "10.0.0.1/32", "ports": []}]), "minItems"),
    "root": (backend(runAsUser=0), "minimum: got 0, want 1"),
    "other key for postgres": ({"postgres": {"secret": {"keys": ["PASSWORD"]}}}, "'/postgres/secret/keys'"),
    "database name with a quote": ({"postgres": {"database": "a'b"}}, "does not match pattern"),
    "unknown quota": ({"namespaceRules": {"quota": {"gpus": "1"}}}, "'gpus' not allowed"),
    "negative count": ({"namespaceRules": {"quota": {"pods": -1}}}, "minimum: got -1, want 0"),
    "switch as a string": ({"monitoring": {"enabled": "yes"}}, "got string, want boolean"),
    "interval without a unit": ({"monitoring": {"interval": "30"}}, "does not match pattern"),
    "host with a scheme": ({"ingress": {"host": "https://x"}}, "does not match pattern"),
    "namespace with a dot": ({"monitoring": {"namespace": "a.b"}}, "does not match pattern"),
    "test without time": ({"test": {"timeoutSeconds": 0}}, "minimum: got 0, want 1"),
}

REFUSED_BY_RULE = {
    "no tag and no digest": (backend(image={"tag": ""}), "services.backend.image: set exactly one of tag and digest"),
    "tag and digest": (
        backend(image={"digest": f"sha256:{'0' * 64}"}),
        "services.backend.image: set exactly one of tag and digest",
    ),
    "request above its limit": (
        backend(resources={"requests": {"memory": "10Gi"}}),
        "services.backend.resources.requests.memory: 10Gi is above its limit, 256Mi",
    ),
    "latest": (backend(image={"tag": "latest"}), "services.backend.image.tag: latest is not fixed"),
    "no repository": (backend(image={"repository": ""}), "services.backend.image.repository: name the image"),
    "new service without an image": (
        {"services": {"worker": {}}},
        "services.worker.image.repository: name the image",
    ),
    "secret without name": (
        backend(secret={"name": ""}),
        "services.backend.secret.name: name the existing Secret that holds DATABASE_URL, GEMINI_API_KEY, API_TOKEN",
    ),
    "key both plain and secret": (
        backend(env={"API_TOKEN": "x"}),
        "services.backend.env.API_TOKEN: the same key is in secret.keys",
    ),
    "port as environment": (backend(env={"PORT": "1"}), "services.backend.env.PORT: set port instead"),
    "minimum above maximum": (
        backend(autoscaling={"minReplicas": 9}),
        "services.backend.autoscaling: minReplicas 9 is above maxReplicas 4",
    ),
    "path mounted twice": (
        backend(writable={"other": {"path": "/tmp", "size": "1Mi"}}),
        "services.backend.writable.tmp: /tmp is mounted twice",
    ),
    "port from a Secret": (backend(secret={"keys": ["PORT"]}), "services.backend.env.PORT: set port instead"),
    "probe in two ways": (
        backend(probes={"readiness": {"tcp": True}}),
        "services.backend.probes.readiness: it can ask in one way only, not by path and tcp",
    ),
    "path of a worker": (backend(port=0), "services.backend.probes.liveness.path: the service has no port; ask by exec, or name its port"),
    "connection to a worker": (
        backend(port=0, probes={"liveness": {"path": "", "tcp": True}}),
        "services.backend.probes.liveness.tcp: the service has no port",
    ),
    "metrics of a worker": (backend(port=0), "services.backend.metricsPath: the service has no port"),
    "public worker": ({"services": {"frontend": {"port": 0}}}, "services.frontend.public: the service has no port"),
    "pages of a worker": ({"services": {"frontend": {"port": 0}}}, "services.frontend.testPages: the service has no port"),
    "call of a worker": (backend(port=0), "services.frontend.calls: services.backend has no port"),
    "call of no service": (backend(calls=["ghost"]), 'services.backend.calls: there is no service "ghost"'),
    "name that the chart uses": ({"services": {"test": {}}}, "services.test: the chart uses this name itself"),
    "no service": ({"services": {"backend": None, "frontend": None}, "test": {"imageOf": ""}}, "services: name at least one service"),
    "postgres without image": ({"postgres": {"image": {"tag": ""}}}, "postgres.image: set exactly one of tag and digest"),
    "postgres without secret": (
        {"postgres": {"secret": {"name": ""}}},
        "postgres.secret.name: name the existing Secret that holds POSTGRES_PASSWORD",
    ),
    "exporter without tag": (
        {"monitoring": {"enabled": True}, "postgres": {"exporter": {"image": {"repository": "postgres-exporter"}}}},
        "postgres.exporter.image: set exactly one of tag and digest",
    ),
    "ingress to nowhere": (
        {"ingress": {"enabled": True, "host": "x"}, "services": {"frontend": {"public": False}}},
        "ingress.enabled: no service is public",
    ),
    "one path for two services": (
        {"ingress": {"enabled": True, "host": "x"}, **backend(public=True)},
        "services.frontend.publicPath: / is the path of services.backend too",
    ),
    "ingress without host": ({"ingress": {"enabled": True}}, "ingress.host: name the host"),
    "test with the image of nobody": ({"test": {"imageOf": "ghost"}}, 'test.imageOf: there is no service "ghost"'),
}


@pytest.mark.parametrize(("values", "message"), REFUSED_BY_SCHEMA.values(), ids=REFUSED_BY_SCHEMA)
def test_the_schema_refuses(helm: str, values: dict[str, Any], message: str) -> None:
    done = template(helm, MINIMAL, values)
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(("values", "message"), REFUSED_BY_RULE.values(), ids=REFUSED_BY_RULE)
def test_a_rule_over_several_values_refuses(helm: str, values: dict[str, Any], message: str) -> None:
    done = template(helm, MINIMAL, values)
    assert done.returncode != 0
    assert "The values do not fit together:" in done.stderr
    assert f"- {message}" in done.stderr
    assert done.stdout == ""


def test_all_problems_are_named_at_once(helm: str) -> None:
    services = {"api": {"calls": ["ghost"]}, "page": {"image": {"repository": "page"}}}
    values = {"services": services, "postgres": {"enabled": True}, "ingress": {"enabled": True}, "test": {"imageOf": "ghost"}}
    done = template(helm, None, values)
    problems = [line for line in done.stderr.splitlines() if line.startswith("- ")]
    assert problems == [
        "- services.api.image.repository: name the image",
        "- services.api.image: set exactly one of tag and digest",
        '- services.api.calls: there is no service "ghost"',
        "- services.page.image: set exactly one of tag and digest",
        "- postgres.image.repository: name the image",
        "- postgres.image: set exactly one of tag and digest",
        "- postgres.secret.name: name the existing Secret that holds POSTGRES_PASSWORD",
        "- ingress.host: name the host that the Ingress answers for",
        "- ingress.enabled: no service is public",
        '- test.imageOf: there is no service "ghost"',
    ]


def test_every_helm_renders_the_same(helm: str) -> None:
    for base, values in SCENARIOS.values():
        assert render(values, base=base, helm=helm) == render(values, base=base)


def test_rendering_twice_gives_the_same_text() -> None:
    from tests.render.chart import any_helm

    first = template(any_helm(), MINIMAL, {})
    assert first.stdout == template(any_helm(), MINIMAL, {}).stdout != ""


def schema_leaves(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of every property that has no named properties of its own."""
    found = resolved(schema).get("properties")
    if not found:
        yield path
        return
    for name, part in found.items():
        yield from schema_leaves(part, f"{path}/{name}")


def open_maps() -> set[str]:
    """Return the path of every map whose keys the user chooses."""
    shapes = {path: resolved(part) for path, part in properties(SCHEMA)}
    return {path for path, shape in shapes.items() if "object" in shape.get("type", ()) and "properties" not in shape}


def value_leaves(values: Any, stops: set[str], path: str = "") -> Iterator[str]:
    if not isinstance(values, dict) or path in stops:
        yield path
        return
    for name, part in values.items():
        yield from value_leaves(part, stops, f"{path}/{name}")


def test_schema_and_values_know_the_same_keys() -> None:
    stops = open_maps()
    optional = {"/global"} | {
        # Without it the group is that of the user.
        "/serviceDefaults/runAsGroup",
        "/postgres/runAsGroup",
    }
    # Figures over those that follow from the services.
    derived = ("/namespaceRules/quota/", "/namespaceRules/containerLimits/min/", "/namespaceRules/containerLimits/max/")
    leaves = {leaf for leaf in schema_leaves(SCHEMA) if not leaf.startswith(derived)}
    assert leaves - optional == set(value_leaves(VALUES, stops))


def test_the_file_of_every_value_sets_every_value() -> None:
    everything = yaml.safe_load(ALL.read_text())
    stops = open_maps()
    unset = set(value_leaves(VALUES, stops)) - set(value_leaves(everything, stops))
    # A tag stands in for its digest; the frontend of this file has one the other way round.
    assert unset <= {"/postgres/image/digest", "/postgres/exporter/image/digest"}


def test_no_object_of_ours_takes_unknown_keys() -> None:
    def closed(schema: Any, path: str) -> Iterator[str]:
        if isinstance(schema, dict):
            ours = "object" in schema.get("type", ()) and "properties" in schema
            if ours and schema.get("additionalProperties") is not False:
                yield path
            for key, part in schema.items():
                yield from closed(part, f"{path}/{key}")

    assert list(closed(SCHEMA, "")) == []


def test_every_value_has_a_comment_that_names_it() -> None:
    comments = " ".join(line.strip() for line in (CHART / "values.yaml").read_text().splitlines() if line.strip().startswith("#"))
    values = {key: part for key, part in VALUES.items() if key != "services"}  # those are serviceDefaults again
    inner = {key for part in values.values() if isinstance(part, dict) for key in part} - {"enabled"}
    assert [key for key in (*VALUES, *inner) if not re.search(rf"[#,] {key}[:,]", comments)] == []


def test_the_settings_of_a_service_go_over_the_defaults_key_by_key() -> None:
    (container,) = deployment(render(), "backend")["containers"]
    defaults = VALUES["serviceDefaults"]["resources"]
    assert container["resources"]["requests"] == {**defaults["requests"], "cpu": "75m"}
    assert container["resources"]["limits"] == defaults["limits"]


@pytest.mark.parametrize(
    ("over", "key", "value"),
    [
        ({"shutdown": {"sleepSeconds": 9}}, "terminationGracePeriodSeconds", 34),
        ({"initContainers": {"migrate": None}}, "initContainers", None),
    ],
    ids=["a number", "a null that takes a default away"],
)
def test_a_value_replaces_a_default(over: dict[str, Any], key: str, value: Any) -> None:
    assert deployment(render(backend(**over)), "backend").get(key) == value


def test_false_goes_over_true() -> None:
    objects = render(backend(autoscaling={"enabled": False}))
    assert [o["metadata"]["name"] for o in of_kind(objects, "HorizontalPodAutoscaler")] == ["todo-chatbot-frontend"]
    assert one(objects, "Deployment", "todo-chatbot-backend")["spec"]["replicas"] == 2


def test_an_empty_list_goes_over_a_default_list() -> None:
    defaults = {"serviceDefaults": {"command": ["serve"], "secret": {"name": "shared", "keys": ["A"]}}}
    objects = render({**defaults, **backend(command=[], secret={"keys": []})})
    (container,) = deployment(objects, "backend")["containers"]
    assert "command" not in container
    assert not [entry for entry in container["env"] if "valueFrom" in entry]
    assert deployment(objects, "frontend")["containers"][0]["command"] == ["serve"]


def test_another_service_is_only_more_values() -> None:
    extra = {
        "worker": {
            "image": {"repository": "todo-worker", "tag": "h1"},
            "port": 9000,
            "calls": ["postgres"],
        }
    }
    kinds = {o["kind"] for o in render({"services": extra}) if o["metadata"]["name"] == "todo-chatbot-worker"}
    assert kinds == {
        "Deployment",
        "Service",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ServiceAccount",
    }


def test_a_service_can_be_taken_away() -> None:
    assert "frontend" not in render_text({"services": {"frontend": None}})


def test_the_chart_knows_no_service() -> None:
    """Its templates run over whatever the values name, and its own values name nothing. `todo-chatbot` is the chart's name."""
    assert VALUES["services"] == {}
    for path in [*(CHART / "templates").rglob("*.*"), *(CHART / "files").iterdir(), CHART / "values.yaml", CHART / "values.schema.json"]:
        text = path.read_text().lower().replace("todo-chatbot", "").replace("            backend:\n              service:", "")
        assert not re.findall("backend|frontend|todo|chat|gemini", text), path


def test_what_the_tool_installs_is_what_is_tested_here() -> None:
    """All but the images and Secrets, which the tool names."""
    tested = yaml.safe_load(MINIMAL.read_text().replace('{{ include "todo-chatbot.fullname" . }}', "todo-chatbot"))
    installed = copy.deepcopy(dict(provisional_release(load_settings(), monitoring=False).values))
    assert installed.pop("fullnameOverride") == "todo-chatbot", "which is the release's name here too"
    installed.pop("monitoring")
    for values in (tested, installed):
        for section in (*values["services"].values(), values["postgres"]):
            section.pop("image"), section.pop("secret"), section.pop("enabled", None)
    assert installed == tested


def test_long_names_stay_within_what_dns_allows(helm: str) -> None:
    service = "a-service-of-twenty-"[:19] + "x"
    values = {
        "fullnameOverride": "f" * 36,
        "services": {service: {"image": {"repository": "x", "tag": "y"}}},
    }
    names = [o["metadata"]["name"] for o in render(values, helm=helm)]
    assert max(map(len, names)) <= 63
    assert len(service) == 20
    assert any(service in name for name in names)


def deployment(objects: list[Object], service: str) -> Object:
    return one(objects, "Deployment", f"todo-chatbot-{service}")["spec"]["template"]["spec"]

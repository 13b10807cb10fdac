"""Compose files as people have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core.errors import InputError
from scripts.discover import compose
from scripts.discover.found import Found, Mount, Port, Unknown
from tests.discover.folders import make_files

pytestmark = pytest.mark.unit


def read(root: Path, text: str, **others: str) -> dict[str, Found]:
    found, _ = compose.read([make_files(root, {"compose.yaml": text, **others}) / "compose.yaml"])
    return {each.name: each for each in found}


def test_both_forms_of_each_key_mean_the_same(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """\
        services:
          short:
            build: ./api
            ports: ["8080:80"]
            environment: [A=1, B=, C]
            depends_on: [db]
            volumes: ["data:/data", "./src:/app:ro", /cache]
            command: run --now "two words"
          long:
            build: {context: ./api}
            ports: [{target: 80, published: "8080", protocol: tcp}]
            environment: {A: 1, B: "", C:}
            depends_on: {db: {condition: service_healthy}}
            volumes:
              - {type: volume, source: data, target: /data}
              - {type: bind, source: ./src, target: /app}
              - {type: volume, target: /cache}
            command: [run, --now, two words]
        """,
    )
    short, long = found["short"], found["long"]
    for key in ("build", "ports", "environment", "needs", "mounts", "args"):
        assert getattr(short, key) == getattr(long, key), key
    assert short.ports == [Port(80, 8080)]
    assert {name: value.text for name, value in short.environment.items()} == {"A": "1", "B": "", "C": ""}
    assert short.environment["C"].whole
    assert short.mounts == [Mount("data", "/data", bind=False), Mount("./src", "/app", bind=True), Mount("", "/cache", bind=False)]
    assert short.args == ["run", "--now", "two words"]


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ('"8080:80"', Port(80, 8080)),
        ("8000", Port(8000)),
        ('"127.0.0.1:8080:80"', Port(80, 8080)),
        ("22:22", Port(22, 22)),  # a number to the base of 60 for YAML 1.1
        ('"${PORT:-3000}:3000"', Port(3000, 3000)),
        ('"8000-8002:9000-9002"', Port(9000, 8000)),
        ('"[::1]:8080:80"', Port(80, 8080)),
    ],
)
def test_ports(tmp_path: Path, written: str, means: Port) -> None:
    assert read(tmp_path, f"services: {{x: {{image: a:1, ports: [{written}]}}}}")["x"].ports == [means]


@pytest.mark.parametrize("written", ['"53:53/udp"', '"x:y"', '"70000:70000"', "{}", "{target: 53, protocol: udp}"])
def test_what_is_no_port_for_us_is_passed_over(tmp_path: Path, written: str) -> None:
    assert read(tmp_path, f"services: {{x: {{image: a:1, ports: [{written}]}}}}")["x"].ports == []


def test_anchors_merge_keys_and_extends(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """\
        x-common: &common
          environment: &env {A: one}
          restart: always
        services:
          base: {image: "a:1", environment: {B: base, C: base}, ports: ["1000:1000"], depends_on: [x]}
          merged: {<<: *common, image: "b:1"}
          deeper: {image: "c:1", environment: {<<: *env, D: four}}
          extended: {extends: base, environment: [B=own]}
          other: {extends: {file: more/other.yaml, service: far}}
        """,
        **{"more/other.yaml": "services: {far: {build: ./code, env_file: .env}}", "more/.env.example": "E=5"},
    )
    values = {name: {key: value.text for key, value in each.environment.items()} for name, each in found.items()}
    assert (values["merged"], values["deeper"], values["extended"]) == (
        {"A": "one"},
        {"A": "one", "D": "four"},
        {"B": "own", "C": "base"},
    )
    assert found["extended"].image == "a:1"
    assert found["extended"].ports == [Port(1000, 1000)]
    assert found["extended"].needs == []  # Compose hands no depends_on on
    assert found["other"].build
    assert found["other"].build.context == tmp_path / "more/code"
    assert values["other"] == {"E": "5"}


def test_what_goes_in_a_circle_ends(tmp_path: Path) -> None:
    found = read(tmp_path, "include: [compose.yaml]\nservices: {a: {extends: b, image: 'x:1'}, b: {extends: a}}")
    assert found["a"].image == "x:1"


def test_several_files_are_laid_over_each_other(tmp_path: Path) -> None:
    make_files(
        tmp_path,
        {
            "compose.yaml": "services: {a: {image: 'x:1', environment: {A: 1, B: 1}, ports: ['1:1'], command: [one]}}",
            "over.yaml": "services: {a: {environment: [B=2], ports: !override ['2:2'], command: [two]}, b: {image: 'y:1'}}",
        },
    )
    found, _ = compose.read([tmp_path / "compose.yaml", tmp_path / "over.yaml"])
    assert [each.name for each in found] == ["a", "b"]
    assert {name: value.text for name, value in found[0].environment.items()} == {"A": "1", "B": "2"}
    assert found[0].args == ["two"]


def test_profiles(tmp_path: Path) -> None:
    text = "services: {a: {image: 'x:1'}, b: {image: 'y:1', profiles: [debug]}}"
    found, left_out = compose.read([make_files(tmp_path, {"c.yaml": text}) / "c.yaml"])
    assert [each.name for each in found] == ["a"]
    assert left_out == [Unknown("b", "is left out: it belongs to the profile debug")]
    assert read(tmp_path, "services: {a: {image: 'x:1', profiles: [dev]}}").keys() == {"a"}


def test_health_replicas_resources_and_names(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """\
        services:
          a:
            image: x:1
            container_name: a-box
            networks: {net: {aliases: [aye]}}
            healthcheck: {test: [CMD, curl, -f, "http://localhost:8000/health"]}
            deploy: {replicas: 3, resources: {limits: {cpus: "0.5", memory: 512M}, reservations: {memory: 1gb}}}
          b: {image: "x:1", healthcheck: {disable: true}, privileged: true}
        """,
    )["a"]
    assert found.probes == {"live": "/health", "ready": "/health"}
    assert found.ports == [Port(8000)]
    assert found.replicas == 3
    assert found.resources == {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"memory": "1024Mi"}}
    assert found.aliases == {"a", "a-box", "aye"}


def test_what_cannot_be_had_is_told(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """\
        services:
          a: {image: "x:1", privileged: true, network_mode: host, secrets: [x]}
          b: {build: "https://github.com/x/y.git"}
          c: {build: {context: ., dockerfile_inline: FROM x, ssh: [default]}}
        """,
    )
    assert [len(each.cannot) for each in found.values()] == [3, 1, 2]
    assert found["b"].build is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services: [", "compose.yaml is not YAML on line 1"),
        ("services: [a]", "services is no map"),
        ("services: {a: [b]}", "services.a is no map"),
        ("x: 1", "compose.yaml has no services"),
        ("- a", "compose.yaml has no services"),
        ("", "compose.yaml has no services"),
        ("a: &a [*a]", "refers to itself"),
        ("\0", "compose.yaml is not YAML"),
    ],
)
def test_what_is_no_compose_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert says in str(error.value)

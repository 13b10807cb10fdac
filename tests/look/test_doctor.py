"""`invoke doctor` finds what is planted: each fault under the check that it belongs to, with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import yaml

from scripts import preflight, project
from scripts.config.settings import KubeContext, load_settings
from scripts.core.errors import MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.desired import database_reach
from scripts.desired.dockerfile import Dockerfile
from scripts.engines.docker import engine as docker_engine
from scripts.engines.docker.engine import DockerEngine
from scripts.engines.kube_context import KubeContextEngine
from scripts.images import builder
from scripts.machine import tools
from scripts.machine.docker_endpoint import Endpoint
from tests.programs import Reply, on_path
from tests.reports.test_clusters import CONTEXTS, VERSION
from tests.reports.test_clusters import REPORTED as CLUSTERS
from tests.reports.test_doctor import SETTINGS, Engine, run_doctor
from tests.reports.test_env_files import RIGHT

pytestmark = pytest.mark.unit

REFUSED = yaml.safe_load((ROOT / "tests/reports/env_files.yaml").read_text())["refused"]
DATABASE = "DATABASE_URL=postgresql://me:s3cret-word@"
Patch = pytest.MonkeyPatch


@dataclass
class Fault:
    """Something that is wrong with a machine, and the check that finds it."""

    check: str
    says: str
    env: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    plant: Callable[[Patch], object] = lambda _: None
    kubernetes: bool = True
    verdict: str = "problem"


def variable(name: str, value: str) -> Callable[[Patch], object]:
    return lambda patch: patch.setenv(name, value)


def lacking(program: str) -> Callable[[Patch], object]:
    def plant(patch: Patch) -> None:
        patch.setattr(Engine, "tools", (program,))
        patch.setattr(tools.shell, "which", Mock(side_effect=MissingError(f"{program} is not installed", "invoke setup")))

    return plant


def versioned(program: str, said: str) -> Callable[[Patch], object]:
    def plant(patch: Patch) -> None:
        patch.setattr(Engine, "tools", (program,))
        patch.setattr(tools.shell, "which", lambda _: f"/usr/bin/{program}")
        patch.setattr(tools, "remembered", lambda _path, ask: ask())
        patch.setattr(tools, "_answer", lambda _: SimpleNamespace(stdout=said, stderr=""))

    return plant


def docker(refusal: TaskError) -> Callable[[Patch], object]:
    def plant(patch: Patch) -> None:
        patch.setattr(Engine, "tools", ("docker",))
        patch.setattr(tools, "_docker_version", Mock(side_effect=refusal))

    return plant


def engine(found: str) -> Callable[[Patch], object]:
    """A Docker engine with something in its way."""

    def plant(patch: Patch) -> None:
        made = DockerEngine(load_settings())
        patch.setattr(made, "deployed", lambda: False)
        patch.setattr(made, "check", lambda _: None)
        patch.setattr(made._containers, "published_ports", set)
        containers = SimpleNamespace(list=lambda **_: [])
        client = SimpleNamespace(info=lambda: {"CpuCfsQuota": found != "no limits"}, containers=containers)
        silent = MissingError("the daemon does not answer", "start it")
        patch.setattr(docker_engine, "docker_client", Mock(side_effect=silent) if found == "silent" else lambda: client)
        patch.setattr(docker_engine, "find_endpoint", lambda: Endpoint("tcp://10.0.0.7:2376" if found == "remote" else "unix:///x.sock"))
        patch.setattr(docker_engine, "_listens", lambda _: found == "port")
        patch.setattr(DockerEngine, "tools", ())
        patch.setattr(project, "choose", lambda _: (made, "told"))

    return plant


def file(name: str, content: str) -> Callable[[Patch], object]:
    def plant(patch: Patch) -> None:
        path = Path.cwd() / name
        path.write_text(content)
        patch.setenv("SSL_CERT_FILE", str(path))

    return plant


def meminfo(patch: Patch) -> None:
    patch.setattr(Engine, "deployed", lambda _: False)
    patch.setattr(preflight, "_meminfo", lambda: "MemAvailable: 102400 kB\n")


def refused_chart(patch: Patch) -> None:
    patch.setattr(Engine, "check", Mock(side_effect=TaskError("helm: values do not fit", "fix chart.values", ["  at '/services'"])))


def for_buildkit(patch: Patch) -> None:
    patch.setattr(builder, "built_on", lambda *_: Dockerfile((), "`--mount` on line 43"))
    patch.setattr(builder, "buildx", tuple)


def full_disk(patch: Patch) -> None:
    patch.setattr(preflight.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**29))


FAULTS = {
    "helm is missing": Fault("helm", "helm is not installed", plant=lacking("helm")),
    "kubectl is missing": Fault("kubectl", "kubectl is not installed", plant=lacking("kubectl")),
    "minikube is missing": Fault("minikube", "minikube is not installed", plant=lacking("minikube")),
    "helm is too old": Fault("helm", "is older than", plant=versioned("helm", "v3.1.0")),
    "helm is too new": Fault("helm", "is too new", plant=versioned("helm", "v99.0.0")),
    "kubectl is too old": Fault("kubectl", "is older than", plant=versioned("kubectl", "Client Version: v1.2.0")),
    "minikube is too old": Fault("minikube", "is older than", plant=versioned("minikube", "v1.2.0")),
    "a program tells no version": Fault("helm", "does not tell its version", plant=versioned("helm", "no")),
    "Docker may not be used": Fault("docker", "your user may not", plant=docker(MissingError("your user may not use Docker", "usermod"))),
    "Docker does not run": Fault("docker", "no daemon", plant=docker(MissingError("no daemon answers", "invoke setup"))),
    "Podman is in Docker's place": Fault("docker", "Podman answers", plant=docker(MissingError("Podman answers", "install Docker"))),
    "a Dockerfile needs BuildKit": Fault("builder", "needs BuildKit, for `--mount` on line 43", plant=for_buildkit),
    "the disk is full": Fault("disk", "0.5 GiB free", plant=full_disk),
    "there is no memory": Fault("memory", "100 MiB of memory are available", plant=meminfo),
    "the extra CA is not there": Fault("certificates", "", settings={'extra_ca: ""': "extra_ca: /nowhere/ca.pem"}),
    "the extra CA is none": Fault("certificates", "", plant=file("ca.pem", "no certificate")),
    "the chart refuses the values": Fault("chart", "values do not fit", plant=refused_chart),
    "an alert is no YAML": Fault("monitoring", "holds no alert rules", settings={"app/monitoring/alerts.yaml": "README.md"}),
    "a row of the dashboard is none": Fault(
        "monitoring", "holds no rows", settings={"monitoring/dashboards/rows/requests.yaml": "monitoring/values.yaml"}
    ),
    "the daemon is silent": Fault("engine", "the daemon does not answer", plant=engine("silent"), kubernetes=False),
    "a port is taken": Fault("engine", "port 8000 (services.backend.local_port) is in use", plant=engine("port"), kubernetes=False),
    "Docker is on another machine": Fault("engine", "Docker is on another machine", plant=engine("remote"), kubernetes=False),
    "Docker cannot limit processors": Fault("engine", "Docker cannot limit processors", plant=engine("no limits"), kubernetes=False),
    "the database is this machine's": Fault("database", "names localhost", env=f"{DATABASE}localhost/app"),
    "the database is the container's": Fault("database", "is the container itself", env=f"{DATABASE}127.0.0.1:5432/app"),
    "a policy shuts the database's port": Fault("database", "port 6000", env=f"{DATABASE}db.example.com:6000/app?sslmode=require"),
    "a policy shuts a private address": Fault("database", "10.0.0.5", env=f"{DATABASE}10.0.0.5/app"),
    "the password crosses in clear": Fault(".env", "does not ask for TLS", env=f"{DATABASE}db.example.com/app", verdict="warning"),
    "a pooler gets options": Fault(
        ".env", "to a pooler, which refuses", env=f"{DATABASE}ep-x-pooler.eu.neon.tech/app?sslmode=require&options=x", verdict="warning"
    ),
    "the proxy is on the loopback address": Fault(
        "proxy", "loopback address", plant=variable("HTTPS_PROXY", "http://127.0.0.1:3128"), verdict="warning"
    ),
    "the proxy is no URL": Fault(
        "proxy", "is no URL", plant=variable("HTTPS_PROXY", "http://me:pa#ss@proxy.example:3128"), verdict="warning"
    ),
    "the proxy is a SOCKS one": Fault("proxy", "", plant=variable("HTTPS_PROXY", "socks5://proxy.example:1080"), verdict="warning"),
}


def rows_of(fault: Fault, monkeypatch: Patch, tmp_path: Path) -> tuple[int, list[dict[str, str]]]:
    monkeypatch.chdir(tmp_path)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    text = SETTINGS
    for old, new in fault.settings.items():
        assert old in text
        text = text.replace(old, new)
    monkeypatch.setattr(database_reach, "resolve", lambda _: [])
    code, output = run_doctor(
        f"{RIGHT}{fault.env}\n".encode(), text.encode(), kubernetes=fault.kubernetes, as_json=True, plant=lambda: fault.plant(monkeypatch)
    )
    events = [json.loads(line) for line in output.splitlines()]
    return code, next(event["rows"] for event in events if event["event"] == "checks")


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: Patch, tmp_path: Path) -> None:
    fault = FAULTS[name]
    code, rows = rows_of(fault, monkeypatch, tmp_path)
    found = [row for row in rows if row["verdict"] == fault.verdict]
    assert fault.check in {row["check"] for row in found}, rows
    assert any(fault.says in row["found"] for row in found), found
    assert all(row["remedy"] for row in found if row["verdict"] == "problem" and row["check"] != ".env"), found
    assert code == (0 if fault.verdict == "warning" else 3 if fault.check in ("helm", "kubectl", "minikube", "docker", "builder") else 2)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["text"][:40])
def test_what_is_wrong_in_env_is_found(row: dict[str, str], monkeypatch: Patch, tmp_path: Path) -> None:
    code, rows = rows_of(Fault(".env", row["says"], env=row["text"]), monkeypatch, tmp_path)
    assert code == 2
    says = row["says"].replace("API_TOKEN", "", 1) if row["text"] == "API_TOKEN=API_TOKEN" else row["says"]  # the value is masked
    assert any(each["check"] == ".env" and each["verdict"] == "problem" and says in each["found"] for each in rows), rows
    assert next(each for each in rows if each["check"] == "database")["verdict"] == "not looked at"


@pytest.mark.parametrize("row", CLUSTERS, ids=lambda row: row["said"][:40])
def test_a_context_that_cannot_be_used_is_found(row: dict[str, str], monkeypatch: Patch, tmp_path: Path) -> None:
    programs = on_path(tmp_path / "bin", monkeypatch)
    programs.tell(CONTEXTS, Reply("theirs\n"))
    programs.tell(VERSION, Reply(stderr=f"{row['said']}\n", code=1))
    made = KubeContextEngine(load_settings().model_copy(update={"kube_context": KubeContext(context="theirs")}))
    monkeypatch.setattr(made, "check", lambda _: None)
    monkeypatch.setattr(made, "tools", ())
    fault = Fault("engine", "", plant=lambda patch: patch.setattr(project, "choose", lambda _: (made, "told")))
    _, rows = rows_of(fault, monkeypatch, tmp_path)
    (found,) = [each for each in rows if each["verdict"] == "problem"]
    assert found["check"] == "engine"
    assert row["do"] in found["remedy"]


def test_at_least_forty_faults_are_planted() -> None:
    assert len(FAULTS) + len(REFUSED) + len(CLUSTERS) >= 40


def test_every_check_is_shown_where_all_is_well(monkeypatch: Patch, tmp_path: Path) -> None:
    code, rows = rows_of(Fault("", ""), monkeypatch, tmp_path)
    assert (code, {row["verdict"] for row in rows}) == (0, {"ok"})
    names = [row["check"] for row in rows]
    of_machine = ["builder", "proxy", "disk", "memory", "certificates", "files", "monitoring"]
    assert names == ["invoke.yaml", ".env", "database", *of_machine, "chart", "engine"]
    assert all(row["found"] for row in rows)


def test_what_cannot_be_looked_at_says_so(monkeypatch: Patch, tmp_path: Path) -> None:
    _, rows = rows_of(FAULTS["helm is missing"], monkeypatch, tmp_path)
    assert {row["check"] for row in rows if row["verdict"] == "not looked at"} == {"chart"}
    _, rows = rows_of(FAULTS["Docker does not run"], monkeypatch, tmp_path)
    assert {row["check"] for row in rows if row["verdict"] == "not looked at"} == {"chart", "engine"}

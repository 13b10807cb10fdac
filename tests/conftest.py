"""What all tests share: which tier a test belongs to, and why a tier did not run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.core import paths, shell
from scripts.core.errors import MissingError
from scripts.core.redaction import redact
from scripts.core.report import Report
from scripts.machine import docker_client as machine_docker_client
from scripts.machine import go_build
from scripts.traffic import last_proof
from tests.checkout import Checkout
from tests.doubles import Step
from tests.json_contract import breach

TIERS = ("unit", "runner", "render", "engine", "cluster", "minikube", "app", "monitoring")
OF_SOME_TESTS = ("hypothesis", "jsonschema", "kubernetes_validate", "prometheus_client", "promql_parser")
"""Packages that some tests import: without one, these tests are left out, and all others run."""


class Module(pytest.Module):
    """A file of tests; one that lacks a package of its own is left out, and the closing lines say so."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        try:
            return super().collect()
        except self.CollectError as error:
            missing = str(getattr(error.__cause__, "name", "")).partition(".")[0]
            if missing not in OF_SOME_TESTS:
                raise
            pytest.skip(f"{missing} is not installed (requirements-dev.txt)", allow_module_level=True)


@pytest.fixture(autouse=True, scope="session")
def _no_proof_of_this_checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a smoke test of this checkout left is not for tests, nor theirs for `diagnose` here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(last_proof, "PATH", tmp_path_factory.mktemp("proof") / "last-proof.json")
        yield


@pytest.fixture(autouse=True)
def _no_proof_of_the_test_before() -> Iterator[None]:
    yield
    last_proof.forget()


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
    return Module.from_parent(parent, path=module_path)


def pytest_addoption(parser: pytest.Parser) -> None:
    if importlib.util.find_spec("pytest_timeout") is None:
        parser.addini("timeout", "without pytest-timeout no test has a time limit")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "timeout(seconds): a time limit of its own, by pytest-timeout")
    config.addinivalue_line("markers", "no_cover: pytest-cov does not measure it: it would be much slower")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = [item.nodeid for item in items if not any(item.get_closest_marker(tier) for tier in TIERS)]
    if without:
        raise pytest.UsageError(f"tests without a tier ({', '.join(TIERS)}): {', '.join(without[:5])}")
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")  # hundreds of inputs, on paths that examples take too


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say for each tier how many tests ran, and why the others did not."""
    ran: dict[str, int] = dict.fromkeys(TIERS, 0)
    left_out: dict[str, dict[str, int]] = {tier: {} for tier in TIERS}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            tier = next((tier for tier in TIERS if tier in getattr(report, "keywords", ())), None)
            if tier is None:
                continue
            if outcome == "skipped":
                reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr).removeprefix("Skipped: ")
                left_out[tier][reason] = left_out[tier].get(reason, 0) + 1
            else:
                ran[tier] += 1
    terminalreporter.section("tiers")
    for tier in TIERS:
        reasons = "; ".join(f"{count} left out: {reason}" for reason, count in left_out[tier].items())
        terminalreporter.line(f"{tier:<10} {ran[tier]:>5} ran" + (f"   {reasons}" if reasons else ""))


@pytest.fixture(scope="session")
def docker_client() -> object:
    try:
        return machine_docker_client.docker_client()
    except MissingError as error:
        pytest.skip(f"{error.cause} (invoke setup)")


@pytest.fixture(scope="session")
def installed(docker_client: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The app, brought up once for all tests that only look at it; each leaves it as it was."""
    checkout = Checkout.make(tmp_path_factory.mktemp("installed") / "todo")
    run = checkout.invoke("up", "--engine", "docker", timeout=1500)
    assert run.code == 0, run.stdout + run.stderr
    yield checkout
    down = checkout.invoke("down", "--data", "--yes", "--engine", "docker")
    assert down.code == 0, down.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path / "todo")


@pytest.fixture
def step() -> Step:
    return Step()


@pytest.fixture(autouse=True)
def _a_run_of_its_own() -> Iterator[None]:
    """A test may interrupt its run, and teach it secrets; the next one begins a run of its own."""
    known = redact._forms
    yield
    redact._forms = known
    shell._running.stopping.clear()


@pytest.fixture(autouse=True)
def _events_are_as_the_contract_says(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test prints for a program has the keys of the contract, also where the test looks at something else."""
    breaches, tell = list[str](), Report.event

    def event(report: Report, event: str, **fields: Any) -> None:
        if wrong := breach(event, fields):
            breaches.append(wrong)
        tell(report, event, **fields)

    monkeypatch.setattr(Report, "event", event)
    yield
    assert breaches == []


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty .tools/bin, and no proxy in the way of the site on this machine."""
    folder = tmp_path / ".tools/bin"
    monkeypatch.setattr(paths, "TOOLS", folder)
    monkeypatch.setattr(go_build, "GO", tmp_path / ".tools/go")
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    return folder

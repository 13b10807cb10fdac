"""A command or a step that may change something runs alone; and each step runs by itself as it does within its command."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.core.paths import ROOT
from tests.checkout import Checkout
from tests.programs import ANY, Programs, Reply

pytestmark = pytest.mark.runner

SCRIPTS = ROOT / "scripts"
CHANGES = (
    *("setup", "up", "down", "build", "rollback", "smoke", "prune"),
    *("restart backend", "scale backend 2", "rotate API_TOKEN", "restore todos.dump", "sbom", "kagent.up", "kagent.down"),
)
LOOKS = ("status", "open", "diagnose", "doctor")
STEPS_THAT_LOOK = ("preflight",)


def steps() -> list[str]:
    """Each module of `scripts/` that has a step's `main`."""

    def has_main(path: Path) -> bool:
        return any(
            isinstance(node, ast.FunctionDef) and node.name == "main" and [a.arg for a in node.args.args][:2] == ["project", "step"]
            for node in ast.parse(path.read_text()).body
        )

    return sorted(path.stem for path in SCRIPTS.glob("*.py") if has_main(path))


def changing_commands() -> set[str]:
    """The name of each function that `@command(changes=True)` makes a command of."""

    def changes(function: ast.FunctionDef) -> bool:
        calls = [each for each in function.decorator_list if isinstance(each, ast.Call) and ast.unparse(each.func) == "command"]
        return any(keyword.arg == "changes" and ast.unparse(keyword.value) == "True" for call in calls for keyword in call.keywords)

    modules = [ast.parse(path.read_text()) for path in SCRIPTS.rglob("*.py")]
    return {node.name for module in modules for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and changes(node)}


def start(checkout: Checkout, *argv: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *argv],
        cwd=checkout.path,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def busy(checkout: Checkout) -> Iterator[None]:
    """Another run of the checkout is at work: this test."""
    path = checkout.path / ".state" / "lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps({"pid": os.getpid(), "task": "up", "since": time.time()}))
        file.flush()
        yield


@pytest.fixture
def broken(checkout: Checkout) -> Checkout:
    """A checkout in which every command ends with one error, as soon as it reads its settings."""
    checkout.edit("invoke.yaml", {"engine: auto": "engin: auto"})
    return checkout


def each(commands: Sequence[str], steps: Iterable[str]) -> list[tuple[str, ...]]:
    """The command lines, after `python -m`, of commands and of steps by themselves."""
    return [*(("invoke", *command.split()) for command in commands), *((f"scripts.{name}",) for name in steps)]


@pytest.mark.parametrize(
    "argv", [*each(CHANGES, sorted({*steps()} - {*STEPS_THAT_LOOK})), ("scripts.up",), ("scripts.rotate", "API_TOKEN")], ids=" ".join
)
def test_what_may_change_something_waits_for_the_run_that_is_at_work(argv: tuple[str, ...], broken: Checkout) -> None:
    log = broken.path / ".state" / "last-run.log"
    with busy(broken):
        waiting = start(broken, *argv)
        assert waiting.stderr
        said = waiting.stderr.readline()
        assert said.startswith(f"waiting: `invoke up` (process {os.getpid()}")
        assert waiting.poll() is None
        assert not log.exists()
    _, stderr = waiting.communicate(timeout=60)
    assert waiting.returncode == 2
    assert stderr.count("error: ") == 1
    assert "engin: unknown key (did you mean `engine`?)" in stderr
    assert "Traceback" not in stderr
    assert log.exists()


def test_every_command_that_may_change_something_is_tried() -> None:
    assert {command.split()[0].rpartition(".")[2] for command in CHANGES} == changing_commands()


@pytest.mark.parametrize("argv", each(LOOKS, STEPS_THAT_LOOK), ids=" ".join)
def test_what_only_looks_does_not_wait(argv: tuple[str, ...], broken: Checkout) -> None:
    with busy(broken):
        looking = start(broken, *argv)
        _, stderr = looking.communicate(timeout=60)
    assert looking.returncode == 2
    assert stderr.count("error: ") == 1
    assert "waiting" not in stderr
    assert not (broken.path / ".state" / "last-run.log").exists()


@pytest.mark.parametrize("name", steps())
def test_a_step_explains_itself_and_refuses_what_it_does_not_know(name: str, checkout: Checkout) -> None:
    help_, bad = start(checkout, f"scripts.{name}", "--help"), start(checkout, f"scripts.{name}", "--no-such-option")
    explained, _ = help_.communicate(timeout=60)
    _, refused = bad.communicate(timeout=60)
    assert (help_.returncode, bad.returncode) == (0, 2)
    assert {"--engine", "--json"} <= set(explained.replace("[", " ").split())
    assert "unrecognized arguments: --no-such-option" in refused
    assert not (checkout.path / ".state").exists()


@pytest.mark.parametrize("argv", [("invoke", "init", "nowhere"), ("scripts.init", "nowhere")], ids=" ".join)
def test_new_settings_are_written_by_one_run_at_a_time(argv: tuple[str, ...], checkout: Checkout) -> None:
    with busy(checkout):
        waiting = start(checkout, *argv)
        assert waiting.stderr
        assert waiting.stderr.readline().startswith("waiting: `invoke up`")
    _, stderr = waiting.communicate(timeout=60)
    assert (waiting.returncode, "error: nowhere is not a folder" in stderr) == (2, True)
    assert (checkout.path / ".state" / "last-run.log").exists()


def has_command(module: ast.Module) -> bool:
    def makes_one(decorator: ast.expr) -> bool:
        return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator) in ("command", "task")

    return any(isinstance(node, ast.FunctionDef) and any(map(makes_one, node.decorator_list)) for node in module.body)


def test_each_module_of_a_command_or_a_step_is_a_program() -> None:
    modules = {path: ast.parse(path.read_text()) for path in SCRIPTS.rglob("*.py")}
    tried = {path for path, module in modules.items() if has_command(module) or (path.parent == SCRIPTS and path.stem in steps())}
    assert {SCRIPTS / "rotate.py", SCRIPTS / "init.py", SCRIPTS / "look/values.py", SCRIPTS / "dev/lint.py"} <= tried
    idle = [path.name for path in tried if ast.unparse(modules[path].body[-1]).partition("\n")[0] != "if __name__ == '__main__':"]
    assert idle == []


@pytest.mark.parametrize("name", ["up", "down", "smoke", "look.logs", "look.values", "ai.kagent", "ai.check"])
def test_a_command_runs_as_a_module_too(name: str, broken: Checkout) -> None:
    argv = [f"scripts.{name}", *{"look.logs": ["backend"], "ai.kagent": ["status"]}.get(name, [])]
    bad, run = start(broken, *argv, "--no-such-option"), start(broken, *argv)
    assert "error: No idea what '--no-such-option' is!" in bad.communicate(timeout=60)[1]
    assert "engin: unknown key (did you mean `engine`?)" in run.communicate(timeout=60)[1]
    assert (bad.returncode, run.returncode) == (2, 2)


def test_there_are_steps() -> None:
    assert {"build_images", "install_chart", "smoke_test", "remove_app", "rollback", "setup"} <= set(steps())


@pytest.fixture
def connected(checkout: Checkout, tmp_path: Path) -> tuple[Checkout, Programs]:
    """A checkout whose engine is a cluster, and the fakes that it is asked through."""
    (checkout.path / ".tools").unlink(missing_ok=True)
    checkout.edit("invoke.yaml", {"engine: auto": "engine: kube_context", '  context: ""': "  context: told"})
    folder = tmp_path / "bin"
    folder.mkdir()
    fakes = Programs(folder)
    fakes.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("told\n"))
    return checkout, fakes


def kubectl(*argv: str) -> tuple[str, ...]:
    return ("kubectl", "--context", "told", "--namespace", "todo-chatbot-test", *argv)


def test_a_step_does_its_work_and_reports_it_as_a_command_does(connected: tuple[Checkout, Programs]) -> None:
    checkout, fakes = connected
    nodes = {"items": [{"status": {"nodeInfo": {"kubeletVersion": "v1.36.0"}}}]}
    fakes.tell(kubectl("get", "nodes", "--ignore-not-found", "--output", "json"), Reply(json.dumps(nodes)))
    metrics = kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "--ignore-not-found", "--output", "json")
    fakes.tell(metrics, Reply(json.dumps({"kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"}})))
    fakes.tell(("kubectl", "--context", "told", "proxy", ANY, ANY), Reply(code=1))  # then each question is asked by itself
    run = start(checkout, "scripts.start_cluster", "--json", PATH=str(fakes.folder))
    stdout, stderr = run.communicate(timeout=60)
    events = [json.loads(line) for line in stdout.splitlines()]
    assert (run.returncode, stderr) == (0, "")
    finished = next(event for event in events if event["event"] == "step_finished")
    assert (finished["step"], finished["result"], finished["detail"]) == ("start_cluster", "unchanged", "told, v1.36.0, 1 node")
    assert events[0]["event"] == "step_started"
    assert (events[-1]["event"], events[-1]["exit_code"]) == ("finished", 0)
    assert "get nodes" in (checkout.path / ".state" / "last-run.log").read_text()
    fakes.check()


@pytest.mark.parametrize(
    ("name", "engine", "code", "cause"),
    [
        ("start_cluster", "kube_context", 3, "told: the kubeconfig has no context told"),
        ("remove_app", "kube_context", 3, "told: the kubeconfig has no context told"),
        ("check_policies", "docker", 2, "the docker engine has no Kubernetes"),
        ("remove_crds", "docker", 2, "the docker engine has no Kubernetes"),
    ],
)
def test_a_step_that_fails_ends_with_the_code_of_its_failure(
    name: str, engine: str, code: int, cause: str, connected: tuple[Checkout, Programs]
) -> None:
    checkout, fakes = connected
    fakes.tell(("kubectl", "config", "get-contexts", "--output", "name"), Reply("another\n"))
    run = start(checkout, f"scripts.{name}", "--engine", engine, PATH=str(fakes.folder))
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == code
    assert f"error: {cause}" in stderr
    assert f"x {name}" in stderr

"""`invoke test`, `invoke cluster-test` and `invoke check.faults`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from invoke import Context, task

from scripts.dev.program import run_module, running_module
from scripts.program import Lettered, run_command


@task(
    klass=Lettered,
    help={
        "only": "a marker of pytest, or an expression of them: unit, runner, render, engine, minikube, app, monitoring",
        "long": "with the tests that kill, search and build for minutes, and all tables of requests",
    },
)
def test(_: Context, only: str = "", long: bool = False) -> None:
    """Run all tests except those that need a cluster.

    `--only minikube` runs those that start a real Minikube. The closing lines name each tier that could not run, and why.
    All together have to cover as much of the code as pyproject.toml says; `coverage report` shows what they do.
    """
    shorter = "" if long else " and not long"
    selected = f"({only or 'not cluster and not minikube and not app and not engine'}){shorter}"
    covered = () if only else ("--cov", "--cov-report=")  # a part of the tests covers a part of the code
    with ExitStack() as beside:
        for tests in _waiting(only, shorter):
            beside.enter_context(running_module("pytest", *tests))
        run_module("pytest", "--durations=10", *covered, "-m", selected)


def _waiting(only: str, shorter: str) -> Iterator[tuple[str, ...]]:
    """The tests that wait for a database, a browser and Docker more than they compute: they run beside the others."""
    if only in ("", "app"):  # a project of its own, with its own settings of pytest
        some = ("--some-tables",) if shorter else ()
        yield ("--config-file=app/backend/pyproject.toml", "app/backend/tests", *some)
    if not only:
        yield ("--durations=10", "-m", f"(app or engine){shorter}")


@task(
    klass=Lettered,
    name="cluster-test",
    help={
        "context": "the kube context to test on; otherwise a cluster is brought up and taken away",
        "keep": "leave that cluster up",
        "long": "with the tests that take minutes each",
    },
)
def cluster_test(_: Context, context: str = "", keep: bool = False, long: bool = False) -> None:
    """Run the tests that need a real Kubernetes."""
    options = [*([f"--context={context}"] if context else []), *(["--keep"] if keep else [])]
    run_module("pytest", "tests/cluster", "--durations=10", "-m", "cluster" if long else "cluster and not long", *options)


@task(
    klass=Lettered,
    help={
        "context": "another cluster than the test cluster of this machine",
        "only": "faults whose name holds one of these words, comma-separated",
        "yes": "take a cluster that is not one of tests",
    },
)
def faults(_: Context, context: str = "", only: str = "", yes: bool = False) -> None:
    """Break a test cluster; see each fault named and healed."""
    options = [*([f"--context={context}"] if context else []), *([f"--only={only}"] if only else []), *(["--yes"] if yes else [])]
    run_module("tests.faults", *options)


if __name__ == "__main__":
    run_command("test")

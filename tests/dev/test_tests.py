"""`invoke test --only` runs the tests that it is told, of the tool, the frontend and the backend."""

from __future__ import annotations

import subprocess
import sys

import pytest
from invoke import Context

from scripts.core.paths import ROOT
from scripts.dev import tests


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The modules that a command runs, instead of running them."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(tests, "run_module", lambda *argv: told.append(argv))
    return told


def collected(argv: tuple[str, ...], *where: str) -> list[str]:
    """The tests that a run of pytest would run."""
    listed = subprocess.run(
        [sys.executable, "-m", *argv, "--collect-only", "--quiet", *where],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return [line for line in listed.stdout.splitlines() if "::" in line]


def ran(argv: tuple[str, ...], *markers: str) -> bool:
    """Whether a run of pytest takes a test with these markers."""
    from _pytest.mark.expression import Expression

    return Expression.compile(argv[argv.index("-m") + 1]).evaluate(lambda name, **_: name in markers)


@pytest.mark.runner
def test_only_app_is_the_frontend_and_the_backend(runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context(), only="app")
    ours, backend = runs
    assert any("test_frontend.py" in test for test in collected(ours, "tests/app"))
    assert backend == ("pytest", "--config-file=app/backend/pyproject.toml", "app/backend/tests")


@pytest.mark.unit
@pytest.mark.parametrize("only", ["unit or render", "unit or render and not slow", "not engine and not app"])
def test_an_expression_leaves_out_what_is_long_as_a_whole(only: str, runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context(), only=only)
    tests.test.body(Context(), only=only, long=True)
    short, long = runs
    assert [ran(short, "unit"), ran(short, "render"), ran(short, "engine")] == [True, True, False]
    assert [ran(short, "unit", "long"), ran(short, "render", "long")] == [False, False]
    assert [ran(long, "unit", "long"), ran(long, "render", "long")] == [True, True]


@pytest.mark.unit
def test_all_but_the_clusters_run_by_themselves(runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context())
    assert [ran(runs[0], "unit"), ran(runs[0], "app"), ran(runs[0], "cluster"), ran(runs[0], "engine", "long")] == [
        True,
        True,
        False,
        False,
    ]
    assert len(runs) == 2


@pytest.mark.unit
def test_coverage_is_asked_of_all_tests_together_alone(runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context())
    tests.test.body(Context(), only="unit")
    assert ["--cov" in run for run in runs] == [True, False, False]

"""`invoke test --only` runs the tests that it is told, of the tool, the frontend and the backend."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from invoke import Context, Exit

from scripts.core.paths import ROOT
from scripts.dev import tests
from scripts.dev.program import running_module


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The modules that a command runs, instead of running them."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(tests, "run_module", lambda *argv: told.append(argv))
    monkeypatch.setattr(tests, "running_module", lambda *argv: contextlib.ExitStack() if told.append(argv) is None else None)
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
    backend, ours = runs
    assert any("test_frontend.py" in test for test in collected(ours, "tests/app"))
    assert backend == ("pytest", "--config-file=app/backend/pyproject.toml", "app/backend/tests", "--some-tables")


@pytest.mark.unit
def test_the_long_tests_score_every_table_of_requests(runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context(), only="app", long=True)
    assert "--some-tables" not in runs[0]


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
    _, waiting, ours = runs
    assert [ran(ours, "unit"), ran(ours, "app"), ran(ours, "cluster"), ran(ours, "unit", "long")] == [True, False, False, False]
    for marker in ("app", "engine"):
        assert [ran(waiting, marker), ran(waiting, marker, "long"), ran(ours, marker)] == [True, False, False]
    assert not ran(waiting, "unit")


@pytest.mark.unit
def test_coverage_is_asked_of_all_tests_together_alone(runs: list[tuple[str, ...]]) -> None:
    tests.test.body(Context())
    tests.test.body(Context(), only="unit")
    assert ["--cov" in run for run in runs] == [False, False, True, False]


@pytest.mark.runner
def test_a_module_beside_another_is_shown_at_the_end_and_counts(capfd: pytest.CaptureFixture[str]) -> None:
    with running_module("timeit", "-n1", "-r1", "print('beside')"):
        print("first", flush=True)
    out = capfd.readouterr().out
    assert out.index("first") < out.index("beside")
    with pytest.raises(Exit) as left, running_module("timeit", "--no-such-option"):
        pass
    assert left.value.code == 2


@pytest.mark.runner
def test_a_failure_of_the_block_is_not_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as left, running_module("timeit", "--no-such-option"):
        raise Exit(code=7)
    assert left.value.code == 7

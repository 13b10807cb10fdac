"""The machinery of the fault suite: what counts as named and healed, and which cluster may be broken. Its faults are run on a cluster."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scripts.core.errors import InputError
from scripts.kubernetes.diagnosis.cause import PATIENCE
from tests.checkout import Run
from tests.faults import machine, suite
from tests.faults.__main__ import refuse, words
from tests.faults.app_faults import APP_FAULTS, AppFault
from tests.faults.ground import Call, Ground, Named
from tests.faults.machine import MACHINE_FAULTS, MachineFault
from tests.faults.releases import FAULTS

pytestmark = pytest.mark.unit

FULL = AppFault("quota", "quota-exceeded", "no room", make=("create quota",), fix=("delete quota",))


@dataclass
class Fake:
    """An app that is as sick as what was last done to it says; `up` heals it unless it is beyond that."""

    says: Sequence[Named]
    heals: bool = True
    own: Any = None
    calls: list[Call] = field(default_factory=list)

    def call(self, call: Call) -> None:
        self.calls.append(call)
        if self.heals and str(call).startswith("delete"):
            self.says = ()

    def diagnose(self) -> Sequence[Named]:
        return self.says

    def up(self) -> Run:
        if self.heals:
            self.says = ()
        return Run(0 if self.heals else 1, "", "", 3.0)


def row(fault: AppFault, fake: Fake) -> suite.Row:
    return suite.app_row(fault, cast("Ground", fake))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "NAMED_SECONDS", 0)
    monkeypatch.setattr(suite.time, "sleep", lambda _: None)


def test_a_fault_that_is_named_and_healed_is_right() -> None:
    fake = Fake([Named("todo: no room", "quota-exceeded")])
    found = row(FULL, fake)
    assert (found.line, found.healed, found.ok) == ("todo: no room", "not its own: well after delete quota", True)
    assert fake.calls == ["create quota", "delete quota"]


@pytest.mark.parametrize(
    ("says", "heals"),
    [
        ([Named("todo: no room", "limit-range")], True),
        ([Named("todo: full", "quota-exceeded")], True),
        ([Named("x", "drifted"), Named("todo: no room", "quota-exceeded")], True),
        ([], True),
        ([Named("todo: no room", "quota-exceeded")], False),
    ],
    ids=["another code", "other words", "another cause first", "called well", "not healed"],
)
def test_a_fault_that_is_not_named_first_or_not_healed_is_wrong(says: list[Named], heals: bool) -> None:
    assert not row(FULL, Fake(says, heals)).ok


def test_drift_is_made_at_once_each_named_among_the_causes_and_healed_by_one_up() -> None:
    faults = [AppFault(name, "drifted", name, make=(f"patch {name}",)) for name in ("image", "probe", "policy")]
    fake = Fake([Named("todo: image (and 1 more)", "drifted", ("image", "probe"))])
    rows = suite.drift_rows(faults, cast("Ground", fake))
    assert [row.ok for row in rows] == [True, True, False]
    assert fake.calls == ["patch image", "patch probe", "patch policy"]
    assert not any(row.ok for row in suite.drift_rows(faults, cast("Ground", Fake(fake.says, heals=False))))


def test_what_does_no_harm_has_to_be_called_well() -> None:
    harmless = AppFault("harmless", "")
    assert row(harmless, Fake([])).ok
    assert not row(harmless, Fake([Named("x", "drifted")])).ok


def test_a_fault_that_needs_the_test_cluster_is_left_out_elsewhere() -> None:
    found = row(AppFault("node", "node-not-ready", own=True), Fake([]))
    assert found.ok
    assert found.line.startswith("left out: ")
    assert machine.lacks(MACHINE_FAULTS[0], cast("Ground", Fake([])))


class Running:
    """A run of `up` that has printed these events."""

    def __init__(self, code: int, *events: dict[str, str]) -> None:
        self.stdout = io.StringIO("".join(f"{json.dumps(event)}\n" for event in events))
        self._code = code

    def wait(self) -> int:
        return self._code


@pytest.mark.parametrize(
    ("code", "text", "right"),
    [(0, "the cluster does not answer for 4 s: x", True), (1, "the cluster does not answer for 4 s: x", False), (0, "all is well", False)],
    ids=["goes on and says so", "does not go on", "goes on in silence"],
)
def test_a_machine_that_fails_in_mid_run_is_told_of_and_borne(code: int, text: str, right: bool) -> None:
    made = []

    @contextmanager
    def during(_: Ground) -> Iterator[None]:
        made.append("made")
        yield

    events = ({"event": "step_started", "step": "rollout"}, {"event": "step_progress", "text": text})
    ground = SimpleNamespace(
        own=object(),
        change=lambda: None,
        forget_images=lambda *_: None,
        up=lambda: Run(0, "", "", 1.0),
        app=SimpleNamespace(checkout=SimpleNamespace(start=lambda *_: Running(code, *events))),
    )
    found = suite.machine_row(MachineFault("api", during, machine.NO_ANSWER, step="rollout"), cast("Ground", ground))
    assert found.ok is right
    assert made == ["made"]


def test_a_cluster_that_is_not_of_tests_is_refused_without_yes() -> None:
    with pytest.raises(InputError, match="production is not a cluster of tests"):
        refuse("production", yes=False)
    refuse("production", yes=True)
    for known in ("", "todo-test", "kind-todo-cluster-test"):
        refuse(known, yes=False)


def test_the_faults_have_names_of_their_own_and_known_codes() -> None:
    names = [fault.name for fault in (*FAULTS, *APP_FAULTS, *MACHINE_FAULTS)]
    assert len(set(names)) == len(names)
    assert {fault.code for fault in APP_FAULTS} <= {"", *PATIENCE}
    assert words("a,b c,") == ("a", "b c")

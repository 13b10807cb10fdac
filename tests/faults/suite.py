"""Makes each fault, waits until it is named, and sees whether it heals: a row of the table each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from scripts.core.errors import TaskError
from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.diagnose import diagnose
from tests.cluster.context import ClusterContext, temporary_namespace
from tests.doubles import Step
from tests.faults import machine, releases
from tests.faults.app_faults import AppFault
from tests.faults.ground import ENGINE, Ground, Named
from tests.faults.machine import MachineFault
from tests.faults.releases import Fault

NAMED_SECONDS = 120
RELEASE_SECONDS = 150
SIDE_BY_SIDE = 3
WELL = AppFault("well", "")


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    fault: str
    line: str
    seconds: float
    healed: str
    ok: bool

    def shown(self) -> tuple[str, str, str, str, str]:
        """Return the row as a person reads it."""
        return self.fault, self.line, f"{self.seconds:.1f}", self.healed, "ok" if self.ok else "WRONG"


def drift_rows(faults: Sequence[AppFault], ground: Ground) -> list[Row]:
    """Make what is changed past the release all at once, see each named among the causes, and let one `up` heal it all."""
    started = time.monotonic()
    for call in (call for fault in faults for call in fault.make):
        ground.call(call)
    found = ground.diagnose()
    seconds = time.monotonic() - started
    well, healed = _healed(ground)
    rows = []
    for fault in faults:
        named = next((each for each in found if each.tells(fault.code, fault.says)), None)
        rows.append(
            Row(
                fault.name,
                named.line if named else f"not among: {'; '.join(each.line for each in found) or 'is healthy'}",
                seconds,
                f"{healed}, with all drift",
                bool(named) and well,
            )
        )
    return rows


def _healed(ground: Ground) -> tuple[bool, str]:
    """Run `up`; return whether all is well then, and the words for it."""
    run = ground.up()
    well = run.code == 0 and _named(WELL, ground.diagnose)[0]
    return well, f"{'yes' if well else 'no'}, {run.seconds:.0f} s"


def app_row(fault: AppFault, ground: Ground) -> Row:
    """Make a fault of the installed app, see it named, and heal it."""
    if fault.own and ground.own is None:
        return left_out(fault.name, "it needs the test cluster's own processes")
    with contextlib.ExitStack() as stack:
        if fault.during:
            stack.enter_context(fault.during(ground))
        if fault.act:
            fault.act(ground)
        for call in fault.make:
            ground.call(call)
        first, line, seconds = _named(fault, ground.diagnose)
    for call in fault.fix:
        ground.call(call)
    if fault.during:
        _named(WELL, ground.diagnose)  # what stood still catches up first: that is not for `up` to heal
    if fault.loses_data or fault.then_up or not fault.fix:
        well, healed = _healed(ground)
        return Row(fault.name, line, seconds, healed, first and well)
    well, _, _ = _named(WELL, ground.diagnose)
    return Row(fault.name, line, seconds, f"not its own: {'well' if well else 'not well'} after {fault.fix[0]}", first and well)


def _named(fault: AppFault, ask: Callable[[], Sequence[Named]]) -> tuple[bool, str, float]:
    """Ask until the fault is what is said first; return whether it was, what was said, and after how many seconds."""
    started = time.monotonic()
    while True:
        found = list(ask())
        seconds = time.monotonic() - started
        first = found[0] if found else Named("is healthy", "")
        if first.tells(fault.code, fault.says):
            return True, first.line, seconds
        if seconds > NAMED_SECONDS:
            return False, "; ".join(f"{each.code}: {each.line}" for each in found) or first.line, seconds
        time.sleep(1)


def machine_row(fault: MachineFault, ground: Ground) -> Row:
    """Let the machine fail in the middle of an `up` that has something to do."""
    if why := machine.lacks(fault, ground):
        return left_out(fault.name, why)
    ground.change()
    ground.forget_images(*fault.forget)
    with contextlib.ExitStack() as stack:
        if not fault.step:
            stack.enter_context(fault.during(ground))
        process = ground.app.checkout.start("up", "--json", *ENGINE)
        line, seconds, ended = _told(fault, ground, process)
    code = process.wait()
    healed = "the run went on" if code == 0 else f"exit {code} ({ended}), the next run: {'yes' if ground.up().code == 0 else 'no'}"
    ok = (code == 0) is fault.goes_on and bool(line) and not healed.endswith("no")
    return Row(fault.name, line or "nothing was said", seconds, healed, ok)


def _told(fault: MachineFault, ground: Ground, process: subprocess.Popen[str]) -> tuple[str, float, str]:
    """Read a run to its end, with the fault once its step starts.

    Return the first line that tells of it, after how many seconds, and the cause that the run ended with, if any.
    """
    made, line, seconds, last, ended = time.monotonic() if not fault.step else 0.0, "", 0.0, "", ""
    assert process.stdout
    for text in process.stdout:
        event = json.loads(text)
        if event["event"] == "step_started" and event["step"] == fault.step and not made:
            made = time.monotonic()
            threading.Thread(target=_for_a_while, args=(fault, ground)).start()
        said = str(event.get("text") or event.get("cause") or event.get("detail") or "")
        last = said if event["event"] == "step_finished" else last
        ended = said if event["event"] == "error" else ended
        if made and not line and said and fault.says.pattern and fault.says.search(said):
            line, seconds = said, time.monotonic() - made
    return (line, seconds, ended) if fault.says.pattern else (f"nothing was to be said: {last}", time.monotonic() - made, ended)


def _for_a_while(fault: MachineFault, ground: Ground) -> None:
    with fault.during(ground):
        time.sleep(fault.seconds)


def left_out(name: str, why: str) -> Row:
    """Return the row of a fault that cannot be made here."""
    return Row(name, f"left out: {why}", 0.0, "-", ok=True)


@contextlib.contextmanager
def installed(context: ClusterContext, faults: Sequence[Fault], *, keep: bool = False) -> Iterator[Mapping[str, Cluster]]:
    """All these small releases, brought up side by side while the block runs: fault -> the handle on its release."""
    with contextlib.ExitStack() as stack:
        names = {
            kind: stack.enter_context(temporary_namespace(context, keep=keep, labels=labels))
            for kind, labels in releases.NAMESPACES.items()
            if any(fault.where == kind for fault in faults)
        }
        for kind, namespace in names.items():
            objects = [o for fault in faults if fault.where == kind for o in fault.objects()]
            create(context.within(namespace, ""), *releases.RULES.get(kind, ()), *objects)
        yield {fault.name: context.within(names[fault.where], fault.name) for fault in faults}


def create(cluster: Cluster, *objects: releases.Object) -> None:
    """Create objects in the cluster's namespace."""
    cluster.kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def release_rows(context: ClusterContext, faults: Sequence[Fault]) -> Iterator[Row]:
    """Make the small releases side by side; see each named, and rolled out once its fault is gone."""
    controls = [each for each in releases.HEALTHY if each.name == "healthy"]  # others connect to it
    started = time.monotonic()
    with installed(context, [*controls, *faults]) as clusters, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield from pool.map(lambda fault: release_row(fault, clusters[fault.name], started), faults)


def release_row(fault: Fault, cluster: Cluster, started: float) -> Row:
    """See a small release named, and rolled out once its fault is gone."""
    while True:
        found = diagnose(observation.take_snapshot(cluster))
        seconds = time.monotonic() - started
        named = [d.code for d in found] == [fault.code] and fault.says in found[0].cause
        if named or seconds > RELEASE_SECONDS:
            break
        time.sleep(1)
    line = "; ".join(d.cause for d in found) or "is healthy"
    healed = _fixed(fault, cluster)
    return Row(fault.name, line, seconds, healed, named and healed.startswith("yes"))


def _fixed(fault: Fault, cluster: Cluster) -> str:
    started = time.monotonic()
    cluster.kubectl("delete", "deployment", fault.name, "--wait=true", timeout=60)
    fixed = Fault(fault.name, "", releases.pod(**releases.RESTRICTED), "").objects()
    create(cluster, *fixed)
    try:
        rollout.watch(cluster, RELEASE_SECONDS, Step())
    except TaskError as error:
        return f"no: {error.cause}"
    return f"yes, fixed, {time.monotonic() - started:.0f} s"

"""Every cause that the diagnosis knows, made for real on a cluster, is named rightly; what is well has none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest

from scripts.core.errors import TaskError
from scripts.kubernetes import rollout
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.diagnose import diagnose
from scripts.kubernetes.diagnosis.snapshot import Snapshot
from tests.cluster.app import App
from tests.cluster.context import ClusterContext
from tests.cluster.recordings import write_recording
from tests.doubles import Step
from tests.faults import suite
from tests.faults.app_faults import APP_FAULTS
from tests.faults.ground import Ground
from tests.faults.releases import FAULTS, HEALTHY, Fault

pytestmark = pytest.mark.cluster

DIAGNOSIS_SECONDS = 150


@pytest.fixture(scope="module")
def releases(cluster_context: ClusterContext, fault_image: None, pytestconfig: pytest.Config) -> Iterator[Mapping[str, Cluster]]:
    """All releases, wrong and well, brought up together: fault -> the handle on its release."""
    with suite.installed(cluster_context, [*HEALTHY, *FAULTS], keep=bool(pytestconfig.getoption("--keep", default=False))) as clusters:
        yield clusters


def eventually(cluster: Cluster, code: str) -> tuple[list[Diagnosis], Snapshot]:
    """What is diagnosed once a cause with this code is, or at the time limit."""
    deadline = time.monotonic() + DIAGNOSIS_SECONDS
    while True:
        snapshot = observation.take_snapshot(cluster)
        found = diagnose(snapshot)
        if [d.code for d in found] == [code] or time.monotonic() > deadline:
            return found, snapshot
        time.sleep(1)


@pytest.mark.timeout(DIAGNOSIS_SECONDS + 120)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_cause_made_for_real_is_named_rightly(
    fault: Fault, releases: dict[str, Cluster], cluster_context: ClusterContext, pytestconfig: pytest.Config
) -> None:
    found, snapshot = eventually(releases[fault.name], fault.code)
    if fault.code == "egress-blocked" and not rollout.pending(snapshot) and not cluster_context.must_enforce_policies:
        pytest.skip("this cluster does not enforce network policies: a connection that one forbids was made")
    assert [d.code for d in found] == [fault.code], [f"{d.code}: {d.cause} {d.evidence}" for d in found]
    (diagnosis,) = found
    print(diagnosis.cause)
    assert diagnosis.workload == fault.name
    assert diagnosis.cause.startswith(f"{fault.name}: ")
    assert fault.says in diagnosis.cause
    assert diagnosis.evidence
    assert diagnosis.action
    if pytestconfig.getoption("--record", default=False):
        write_recording(fault.name, snapshot)


@pytest.mark.parametrize("fault", HEALTHY, ids=lambda fault: fault.name)
def test_a_healthy_release_gets_no_diagnosis(fault: Fault, releases: dict[str, Cluster], pytestconfig: pytest.Config) -> None:
    rollout.watch(releases[fault.name], DIAGNOSIS_SECONDS, Step())
    snapshot = observation.take_snapshot(releases[fault.name])
    assert diagnose(snapshot) == []
    if pytestconfig.getoption("--record", default=False):
        write_recording(fault.name, snapshot)


@pytest.mark.parametrize("name", ["image-name", "secret-key", "limit-range", "root", pytest.param("quota", marks=pytest.mark.long)])
def test_watching_ends_long_before_its_time_limit_when_a_cause_is_final(name: str, releases: dict[str, Cluster]) -> None:
    fault = next(f for f in FAULTS if f.name == name)
    started = time.monotonic()
    with pytest.raises(TaskError) as failure:
        rollout.watch(releases[name], 600, Step())
    assert time.monotonic() - started < 60
    assert fault.says in failure.value.cause
    assert failure.value.action


def test_watching_waits_its_whole_time_for_a_cause_that_may_heal(releases: dict[str, Cluster]) -> None:
    started = time.monotonic()
    with pytest.raises(TaskError) as failure:
        rollout.watch(releases["readiness-http"], 5, Step())
    assert time.monotonic() - started >= 5
    assert "answers 503" in failure.value.cause


def test_a_release_that_is_not_there_is_said_to_be_missing(cluster_context: ClusterContext) -> None:
    with pytest.raises(TaskError, match="no-such-release has no workloads"):
        rollout.watch(cluster_context.within("default", "no-such-release"), 5, Step())


@pytest.mark.long
@pytest.mark.parametrize("name", ["secret", "quota"])
def test_the_fault_suite_sees_a_release_named_and_fixed(name: str, releases: Mapping[str, Cluster]) -> None:
    """The last tests here: what they fix is wrong no more."""
    row = suite.release_row(next(f for f in FAULTS if f.name == name), releases[name], time.monotonic())
    assert row.ok, row


@pytest.mark.long
@pytest.mark.parametrize("name", ["drain", "webhook"])
def test_the_fault_suite_sees_a_fault_around_the_app_named_and_gone(name: str, app: App) -> None:
    row = suite.app_row(next(f for f in APP_FAULTS if f.name == name), Ground(app))
    assert row.ok, row

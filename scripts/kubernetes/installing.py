"""Installs and upgrades a release: what differs is decided first, what was changed past it is brought back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from scripts.core import log
from scripts.core.counting import several
from scripts.core.decision import Change, Decision
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.kubernetes import comparison, drift, emptied_database, helm, scaling, strange_revision, stuck_pods
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.drift import Drift
from scripts.kubernetes.emptied_database import EmptiedDatabase
from scripts.kubernetes.helm import Revision
from scripts.kubernetes.objects import name_of


def decide(cluster: Cluster, release: HelmRelease, step: StepReport, *, ours: bool) -> Decision:
    """Decide whether to install or upgrade: not where what runs has the release's fingerprint, and its objects are as it says.

    ours: whether the chart is; of somebody else's, whose objects its own programs change, only their presence is checked.
    """
    step.progress("asking helm what runs")
    revisions = helm.history(cluster)
    current = revisions[-1] if revisions else None
    release = scaling.carried(cluster, release, revisions, step) if ours else release
    if current and current.is_interrupted:
        change = Change(f"recover the release {release.name}", f"an interrupted run left it {current.status}")
        return Decision("", (change,), partial(_recover, cluster, release, revisions, ours=ours))
    if ours and (strange := strange_revision.find(cluster, revisions)):
        step.say(strange.line)
    why = _why(cluster, release, revisions, ours=ours)
    changes = [Change(f"{'upgrade' if current else 'install'} the release {release.name}", why)] if why else []
    step.progress("comparing what runs with what should")
    drifts = _drifts(cluster) if ours and current and current.status == "deployed" else []
    changes += [Change(f"bring back {each.kind} {each.name}", each.differences[0]) for each in drifts]
    emptied = emptied_database.find(observation.quick_snapshot(cluster)) if ours and current else None
    upgrade = bool(changes)
    changes += [Change(f"replace the pod {name_of(pod)}", emptied.cause) for pod in emptied.pods] if emptied else []
    in_full = partial(comparison.changes, cluster, release) if ours and upgrade else None
    act = partial(_install, cluster, release, drifts, emptied, upgrade=upgrade)
    return Decision(f"revision {current.number}" if current else "", tuple(changes), act, in_full=in_full)


def _why(cluster: Cluster, release: HelmRelease, revisions: Sequence[Revision], *, ours: bool) -> str:
    """Return why the newest revision is not the release, or an empty string."""
    if not revisions:
        return "it is not installed"
    current = revisions[-1]
    if current.status != "deployed":
        return f"its revision {current.number} is {current.status}"
    if helm.fingerprint(current, revisions) != release.fingerprint:
        return "its chart, values, images or Secrets differ"
    return "" if ours or helm.complete(cluster) else "objects of it are gone"


def _recover(cluster: Cluster, release: HelmRelease, revisions: Sequence[Revision], step: StepReport, *, ours: bool) -> Outcome:
    helm.recover_interrupted(cluster, revisions, step)
    decision = decide(cluster, release, step, ours=ours)
    return decision.act(step) if decision.changes else changed(decision.found)


def _install(
    cluster: Cluster, release: HelmRelease, drifts: Sequence[Drift], emptied: EmptiedDatabase | None, step: StepReport, *, upgrade: bool
) -> Outcome:
    for each in drifts:
        step.say(f"bringing back {each.line}")
    drift.clear(cluster, drifts, step)
    drift.patch(cluster, [each for each in drifts if each.refused], step)
    if upgrade:
        step.progress(f"helm upgrade --install {release.name}")
        helm.upgrade(cluster, release)
    if drifts:
        _bring_back_rest(cluster, step)
    stuck_pods.replace(cluster, step)
    if emptied:
        step.warn(f"{emptied.cause}; {emptied_database.GO_ON}")
        cluster.kubectl("delete", "pod", "--ignore-not-found", "--wait=false", *map(name_of, emptied.pods))
    back = f", {several(len(drifts), 'object')} brought back" if drifts else ""
    return changed(f"revision {helm.history(cluster)[-1].number}{back}")


def _bring_back_rest(cluster: Cluster, step: StepReport) -> None:
    """Bring back what helm's upgrade has left as it is, and tell what does not stay: somebody sets it again."""
    drift.patch(cluster, _drifts(cluster), step)
    for each in _drifts(cluster):
        step.warn(f"{each.line}: something keeps changing it")


def _drifts(cluster: Cluster) -> list[Drift]:
    """What is not as the release says. Where the API server refuses the very question, helm shall try, and say why it cannot."""
    try:
        return drift.find(cluster)
    except CommandError as error:
        log.debug(f"drift: {error}")
        return [Drift({"kind": "Release", "metadata": {"name": cluster.release}}, (error.last_words,))]

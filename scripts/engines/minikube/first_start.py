"""Whether the profile's first start was ever finished, and whether what an unfinished one left can go.

An interrupted first start leaves a profile that Minikube calls running, or cannot start again, so it is noted while it lasts.
"""

from __future__ import annotations

from scripts.core.errors import TaskError
from scripts.core.paths import STATE
from scripts.engines.minikube.profile import Profile, State
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import name_of

NOTE = STATE / "minikube-first-start"
SECONDS = 10
OF_KUBERNETES = {"default", "kube-system", "kube-public", "kube-node-lease", "kubernetes-dashboard"}


def begin(profile: str) -> None:
    """Note that the first start of this profile begins."""
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(profile, encoding="utf-8")


def end() -> None:
    """Note that it is finished, or that there is nothing left of it."""
    NOTE.unlink(missing_ok=True)


def is_unfinished(profile: Profile) -> bool:
    """Return whether the profile was never started to the end; one whose first node has no address never was."""
    return _never_ran(profile) or (NOTE.exists() and NOTE.read_text(encoding="utf-8") == profile.name)


def may_go(profile: Profile, state: State, cluster: Cluster) -> bool:
    """Return whether nothing of anybody's can be in an unfinished profile.

    One that was stopped has been used since, or its machine was restarted: what is in it cannot be seen, so it stays.
    """
    if _never_ran(profile) or state is State.GONE:
        return True
    return state is not State.STOPPED and not _is_used(cluster)


def _never_ran(profile: Profile) -> bool:
    """Whether its first node has no address. A worker without one is no sign of that: it was added to a cluster that ran."""
    return profile.nodes[0] in profile.unaddressed


def _is_used(cluster: Cluster) -> bool:
    """Whether somebody has put something into it. An API server that does not answer has taken nothing."""
    try:
        namespaces = {name_of(each) for each in cluster.get("namespaces", timeout=SECONDS)}
        return bool(namespaces - OF_KUBERNETES) or bool(cluster.within("default", cluster.release).get("pods", timeout=SECONDS))
    except TaskError:
        return False

"""Whether the cluster enforces network policies: a pod that may call the app does, and one that may not tries the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.desired.labels import COMPONENT
from scripts.kubernetes import manifests
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.looking import look
from scripts.kubernetes.objects import annotations_of, name_of, status_of

HOOK = "helm.sh/hook"
ALLOWED, STRANGER = "policy-probe-allowed", "policy-probe-stranger"
LEARN_SECONDS = 3
"""What an engine of policies gets to learn a new pod's address, before the pod tries anything."""
PATIENCE_SECONDS: Mapping[str, int] = {ALLOWED: 20, STRANGER: 2}
END_SECONDS = 90
POLL_SECONDS = 0.5
ENDED = ("Succeeded", "Failed")


class Verdict(StrEnum):
    """What the two pods have shown."""

    ENFORCED = "enforced"
    NOT_ENFORCED = "not enforced"
    UNPROVEN = "unproven"
    """The allowed pod did not get through either, so that nothing follows from the other."""


def probe(cluster: Cluster, step: StepReport) -> Verdict:
    """Try an allowed connection and one that no policy allows, from new pods, and take the pods away again.

    The pods are those of `helm test`: same image, same program, one check. Raises TaskError when they cannot run.
    """
    hooks = cluster.helm("get", "hooks", cluster.release).stdout
    pods = probe_pods(hooks)
    step.progress("trying an allowed connection, and one that no policy allows")
    with _running(cluster, pods):
        phases = _await_end(cluster, step)
    return verdict(phases)


def probe_pods(hooks: str) -> list[Object]:
    """Return both pods, made of the test pod in the release's hooks. Raises TaskError where there is none."""
    found = [each for each in manifests.objects(hooks) if each["kind"] == "Pod"]
    tests = [pod for pod in found if "test" in annotations_of(pod).get(HOOK, "")]
    if not tests:
        action = "let test.imageOf in the chart's values name a service whose image has Python, with test.enabled"
        raise TaskError("the release has no test pod to try connections with", action, code="policies-unproven")
    return [_probe_pod(tests[0], name) for name in (ALLOWED, STRANGER)]


def _probe_pod(test: Object, name: str) -> Object:
    pod = copy.deepcopy(test)
    labels = pod["metadata"]["labels"] | ({COMPONENT: name} if name == STRANGER else {})
    pod["metadata"] = {"name": name, "labels": labels}
    (container,) = pod["spec"]["containers"]
    python, flag, program = container["command"]
    checks, _ = container["args"]
    container["command"] = [python, flag, f"import time; time.sleep({LEARN_SECONDS})\n{program}"]
    container["args"] = [json.dumps(json.loads(checks)[:1]), str(PATIENCE_SECONDS[name])]
    return pod


def verdict(phases: Mapping[str, str]) -> Verdict:
    """Return what follows from how the pods have ended, by their names."""
    if phases[ALLOWED] != "Succeeded":
        return Verdict.UNPROVEN
    return Verdict.NOT_ENFORCED if phases[STRANGER] == "Succeeded" else Verdict.ENFORCED


@contextmanager
def _running(cluster: Cluster, pods: list[Object]) -> Iterator[None]:
    _remove(cluster)  # what a killed run has left
    try:
        cluster.kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
        yield
    finally:
        if not shell.stopping():
            _remove(cluster)


def _remove(cluster: Cluster) -> None:
    cluster.kubectl("delete", "pod", ALLOWED, STRANGER, "--ignore-not-found", "--grace-period=1")


def _await_end(cluster: Cluster, step: StepReport) -> dict[str, str]:
    seen = dict.fromkeys((ALLOWED, STRANGER), "")

    def ended() -> bool:
        pods = look(lambda: cluster.get("pods", selector=cluster.selector), step)
        phases = {name_of(pod): status_of(pod).get("phase", "") for pod in pods}
        seen.update((name, phases.get(name, "")) for name in seen)
        return all(phase in ENDED for phase in seen.values())

    try:
        until(ended, seconds=END_SECONDS, pause=POLL_SECONDS, what="the pods that try connections to end")
    except OverdueError as error:
        raise TaskError(error.cause, "invoke diagnose", [str(seen)], code="policies-unproven") from None
    return seen

"""By hand, on a service in a cluster: restart, scale, a program in its pod or beside it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from pathlib import Path

from scripts.config.validation import unknown_service
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandLine
from scripts.desired.helm_release import HelmRelease
from scripts.desired.labels import COMPONENT
from scripts.kubernetes import helm, remembered, rollout, scaling
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import is_leaving, is_ready, name_of, service_of, status_of

SMALL_IMAGE = "busybox:stable"
SHELL_SECONDS = 20
ATTACHED = 'sleep 2; exec "$@"'
"""kubectl attaches once the container runs, and what a short program has printed by then is lost."""


class ClusterOperations:
    """Operations on the services of a release."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def restart(self, service: str, timeout: float, step: StepReport) -> Outcome:
        """Replace the service's pods at the pace of a rollout, and wait for the new ones. Raises what `rollout.watch` does."""
        self._restart(self._workload(service), step)
        return changed(f"{service}: {rollout.watch(self._cluster, timeout, step).detail}")

    def _restart(self, workload: Object, step: StepReport) -> None:
        target = f"{workload['kind'].lower()}/{name_of(workload)}"
        step.progress(f"restarting {target}")
        self._cluster.kubectl("rollout", "restart", target)

    def renew(self, services: Collection[str], step: StepReport) -> None:
        """Begin to replace the pods of these services."""
        for service in services:
            self._restart(self._workload(service), step)

    def scale(self, service: str, pods: int | None, chart: Path, timeout: float, step: StepReport) -> Outcome:
        """Upgrade the release that runs to so many pods of the service, and wait for them. Raises what helm and the rollout do."""
        if self._workload(service)["kind"] != "Deployment":
            raise InputError(
                f"{service} cannot be scaled: it is the database, one pod with one volume", "scale a service", code="unsupported-by-engine"
            )
        current = helm.history(self._cluster)[-1]
        running = HelmRelease(self._cluster.release, self._cluster.namespace, chart, helm.values_of(self._cluster, current))
        if outcome := scaling.scale(self._cluster, running, service, pods, step):
            return outcome
        outcome = rollout.watch(self._cluster, timeout, step)
        remembered.record(self._cluster, as_healthy=True)
        kept = f"{service} is kept at {pods}" if pods is not None else f"{service} is as its settings say again"
        return changed(f"{kept}; {outcome.detail}")

    def inside(self, service: str, argv: Sequence[str], *, terminal: bool = False) -> CommandLine:
        """Return what runs a program in the service's container, of a pod that is ready where there is one."""
        pod = self._pod(service)
        return self._kubectl("exec", "--stdin", *_tty(terminal), name_of(pod), "--container", _container(pod), "--", *argv)

    def beside(self, service: str, argv: Sequence[str], image: str, *, terminal: bool) -> CommandLine:
        """Return what runs a program in an ephemeral container of the pod, which Pod Security `restricted` lets in."""
        pod, name = self._pod(service), f"shell-{secrets.token_hex(3)}"
        image = image or self._image_with_shell() or SMALL_IMAGE
        options = (f"--image={image}", "--image-pull-policy=IfNotPresent", f"--container={name}", "--profile=restricted", "--quiet")
        reads = ["--stdin", *_tty(terminal)] if terminal or len(argv) == 1 else ["--attach"]  # an input that ends would end the attachment
        target = (f"--target={_container(pod)}", *reads)
        program = argv if len(argv) == 1 else ["sh", "-c", ATTACHED, "sh", *argv]
        return self._kubectl("debug", name_of(pod), *options, *target, "--", *program)

    def _image_with_shell(self) -> str:
        """Return the image of a pod of the release that has a shell: it is on a node already. Empty where there is none."""
        for pod in self._pods(""):
            argv = ("exec", name_of(pod), "--container", _container(pod), "--", "sh", "-c", ":")
            if self._cluster.kubectl(*argv, timeout=SHELL_SECONDS, ok=None).code == 0:
                return str(pod["spec"]["containers"][0]["image"])
        return ""

    def _kubectl(self, *argv: str) -> CommandLine:
        return CommandLine(self._cluster.kubectl_argv(*argv), self._cluster.environment)

    def _pod(self, service: str) -> Object:
        self._workload(service)
        running = self._pods(service)
        if not running:
            raise TaskError(f"no pod of {service} runs", "invoke diagnose", code="not-healthy")
        return next(filter(is_ready, running), running[0])

    def _pods(self, service: str) -> list[Object]:
        selector = self._cluster.selector + (f",{COMPONENT}={service}" if service else "")
        pods = self._cluster.get("pods", selector=selector)
        return [p for p in pods if status_of(p).get("phase") == "Running" and not is_leaving(p)]

    def _workload(self, service: str) -> Object:
        found = self._cluster.get("deployments,statefulsets", selector=self._cluster.selector)
        by_service = {service_of(each): each for each in found}
        if service not in by_service:
            raise unknown_service(service, by_service)
        return by_service[service]


def _container(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["name"])


def _tty(terminal: bool) -> list[str]:
    return ["--tty"] if terminal else []

"""A release in a namespace of a cluster: its Secrets, its revisions, its rollout, requests to it, its removal."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial

from scripts.core import log
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError, Result
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import Secret
from scripts.desired.stages import Running
from scripts.images.archive import full_name
from scripts.kubernetes import (
    api,
    comparison,
    drift,
    helm,
    in_pod,
    policy_probe,
    remembered,
    rollout,
    running,
    service_forward,
    service_proxy,
    stuck_pods,
)
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.snapshot import name_of
from scripts.kubernetes.drift import Drift
from scripts.kubernetes.helm import References, Revision
from scripts.kubernetes.namespace_removal import remove_namespace
from scripts.kubernetes.nodes import load
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.kubernetes.pods import PodState, pod_state
from scripts.kubernetes.policy_probe import Verdict
from scripts.kubernetes.service_client import ServiceClient
from scripts.kubernetes.stuck_pods import Emptied

FIELD_MANAGER = "todo-tasks"
QUICK_SECONDS = 5
POD_SECURITY = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


class Deployment:
    """One release in a namespace of its own. Every method that changes something observes first."""

    def __init__(self, cluster: Cluster, part_of: str, *, ours: bool = True) -> None:
        """Take the cluster with the release that all calls are about, and the project that its objects are labelled with.

        ours: whether the chart is; of somebody else's, whose objects its own programs change, only their presence is checked.
        """
        self.cluster = cluster
        self._ours = ours
        self.part_of = part_of
        self.labels = {"app.kubernetes.io/part-of": part_of, "app.kubernetes.io/managed-by": FIELD_MANAGER}

    def beside(self, namespace: str, release: str) -> Deployment:
        """Return a release of somebody else's chart for the same project in the same cluster."""
        return Deployment(self.cluster.within(namespace, release), self.part_of, ours=False)

    def exists(self) -> bool:
        """Return whether helm has the release here. A cluster that does not answer within seconds has not."""
        selector = f"owner=helm,name={self.cluster.release}"
        try:
            return bool(self.cluster.names("secrets", selector, QUICK_SECONDS))
        except TaskError:
            return False

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide what of the namespace and the Secrets is to be made. Values travel on standard input.

        Raises InputError when there is a namespace that is not ours, TaskError while it is being removed.
        """
        step.progress("checking the namespace")
        why = self._why_namespace()
        there = self._secret_names()
        missing = [secret for secret in secrets if secret.name not in there]
        changes = [Change(f"make the namespace {self.cluster.namespace}", why)] if why else []
        changes += [Change(f"make the Secret {secret.name} ({', '.join(secret.keys)})", "it is not there") for secret in missing]
        keys = f"{sum(len(secret.keys) for secret in secrets)} keys for {len(secrets)} workloads"
        return Decision(keys, tuple(changes), partial(self._make, missing, keys, namespace=bool(why)))

    def _make(self, missing: Sequence[Secret], keys: str, step: StepReport, *, namespace: bool) -> Outcome:
        if namespace:
            self._make_namespace()
        for secret in missing:
            step.progress(f"making {secret.name} ({', '.join(secret.keys)})")
            self._apply(secret.manifest(self.cluster.namespace, self.labels))
        return changed(f"{keys}: made {', '.join([*(['the namespace'] if namespace else []), *(secret.name for secret in missing)])}")

    def _why_namespace(self) -> str:
        """Return why the namespace is to be made or labelled, or an empty string."""
        found = self._namespace()
        if not found:
            return "it is not there"
        labels = found["metadata"].get("labels", {})
        if any(labels.get(key) != value for key, value in self.labels.items()):
            raise self._not_ours()
        if found.get("status", {}).get("phase") == "Terminating":
            raise TaskError(
                f"the namespace {self.cluster.namespace} is being removed", "wait a moment, then run it again", code="namespace-terminating"
            )
        return "" if POD_SECURITY.items() <= labels.items() else "it lacks the labels of Pod Security `restricted`"

    def _make_namespace(self) -> None:
        """Make it with Pod Security `restricted`, before anything is in it."""
        metadata = {"name": self.cluster.namespace, "labels": {**self.labels, **POD_SECURITY}}
        self._apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}))

    def decide_install(self, release: HelmRelease, step: StepReport) -> Decision:
        """Decide whether to install or upgrade: not where what runs has the release's fingerprint, and its objects are as it says."""
        step.progress("asking helm what runs")
        revisions = helm.history(self.cluster)
        current = revisions[-1] if revisions else None
        if current and current.is_interrupted:
            change = Change(f"recover the release {release.name}", f"an interrupted run left it {current.status}")
            return Decision("", (change,), partial(self._recover, release, revisions))
        why = self._why_install(release, revisions)
        changes = [Change(f"{'upgrade' if current else 'install'} the release {release.name}", why)] if why else []
        step.progress("comparing what runs with what should")
        drifts = self._drifts() if self._ours and current and current.status == "deployed" else []
        changes += [Change(f"bring back {each.kind} {each.name}", each.differences[0]) for each in drifts]
        emptied = stuck_pods.emptied(observation.quick_snapshot(self.cluster)) if self._ours and current else None
        upgrade = bool(changes)
        changes += [Change(f"replace the pod {name_of(pod)}", emptied.cause) for pod in emptied.pods] if emptied else []
        in_full = partial(comparison.changes, self.cluster, release) if self._ours and upgrade else None
        act = partial(self._install, release, drifts, emptied, upgrade=upgrade)
        return Decision(f"revision {current.number}" if current else "", tuple(changes), act, in_full=in_full)

    def _why_install(self, release: HelmRelease, revisions: Sequence[Revision]) -> str:
        """Return why the newest revision is not the release, or an empty string."""
        if not revisions:
            return "it is not installed"
        current = revisions[-1]
        if current.status != "deployed":
            return f"its revision {current.number} is {current.status}"
        if helm.fingerprint(current, revisions) != release.fingerprint:
            return "its chart, values, images or Secrets differ"
        return "" if self._ours or helm.complete(self.cluster) else "objects of it are gone"

    def _recover(self, release: HelmRelease, revisions: Sequence[Revision], step: StepReport) -> Outcome:
        helm.recover_interrupted(self.cluster, revisions, step)
        decision = self.decide_install(release, step)
        return decision.act(step) if decision.changes else changed(decision.found)

    def _install(
        self, release: HelmRelease, drifts: Sequence[Drift], emptied: Emptied | None, step: StepReport, *, upgrade: bool
    ) -> Outcome:
        for each in drifts:
            step.say(f"brings back {each.line}")
        drift.clear(self.cluster, drifts, step)
        if upgrade:
            step.progress(f"helm upgrade --install {release.name}")
            helm.upgrade(self.cluster, release)
        if drifts:
            self._bring_back_rest(step)
        stuck_pods.replace(self.cluster, step)
        if emptied:
            step.warn(f"{emptied.cause}; {stuck_pods.GO_ON}")
            self.cluster.kubectl("delete", "pod", "--ignore-not-found", "--wait=false", *map(name_of, emptied.pods))
        back = f", {len(drifts)} object{'s' if len(drifts) > 1 else ''} brought back" if drifts else ""
        return changed(f"revision {helm.history(self.cluster)[-1].number}{back}")

    def _bring_back_rest(self, step: StepReport) -> None:
        """Bring back what helm's upgrade has left as it is, and tell what does not stay: somebody sets it again."""
        drift.patch(self.cluster, self._drifts(), step)
        for each in self._drifts():
            step.warn(f"{each.line}: it does not stay as the release says")

    def _drifts(self) -> list[Drift]:
        """What is not as the release says. Where the API server refuses the very question, helm shall try, and say why it cannot."""
        try:
            return drift.find(self.cluster)
        except CommandError as error:
            log.debug(f"drift: {error}")
            return [Drift({"kind": "Release", "metadata": {"name": self.cluster.release}}, (error.evidence or (error.cause,))[-1:])]

    def running(self, secrets: Sequence[Secret]) -> Running | None:
        """Return what the release that serves was installed with, where it may differ from what these Secrets say. Raises TaskError."""
        return running.running(self.cluster, self._selector, {secret.name for secret in secrets})

    def await_rollout(self, timeout: float, step: StepReport, *, release: HelmRelease | None = None) -> Outcome:
        """Wait until the pods of what runs are ready, but for those that this release keeps for old pods; record that it is rolled out.

        It is recorded as a healthy one, to go back to, unless the release is a stage on the way to another.
        """
        leave_out = release.for_old_pods if release else ()
        try:
            outcome = rollout.watch(self.cluster, timeout, step, leave_out=leave_out)
        except TaskError as error:
            if not (self._ours and stuck_pods.restart_database(self.cluster, error, step)):
                raise
            outcome = rollout.watch(self.cluster, timeout, step, leave_out=leave_out)
        remembered.record(self.cluster, as_healthy=release is None or release.last)
        return outcome

    def rollback(self, transports: Sequence[NodeTransport], step: StepReport) -> Outcome:
        """Bring back the last healthy release other than the current one; the caller awaits the rollout.

        Raises InputError when there is none, TaskError when its Secrets or images are gone.
        """
        step.progress("looking for the last healthy release")
        revisions = helm.history(self.cluster)
        target = helm.rollback_target(revisions, remembered.healthy(self.cluster))
        if target is None:
            raise InputError(
                "there is no other healthy release to go back to", "fix the sources, then invoke up", code="nothing-to-roll-back"
            )
        self._refuse_if_gone(target, transports)
        step.progress(f"helm rollback to revision {target.number}")
        helm.roll_back(self.cluster, target)
        stuck_pods.replace(self.cluster, step)
        return changed(f"revision {target.number} is back, as revision {helm.history(self.cluster)[-1].number}")

    def _refuse_if_gone(self, target: Revision, transports: Sequence[NodeTransport]) -> None:
        wanted = helm.references_of(self.cluster, target)
        gone = sorted(wanted.secrets - self._secret_names())
        for transport in transports:
            there = transport.images()
            gone += sorted(image for image in wanted.images if full_name(image) not in there)
        if gone:
            raise TaskError(
                f"revision {target.number} cannot come back: {', '.join(gone)} is gone",
                "fix the sources, then invoke up",
                code="rollback-incomplete",
            )

    def prune(self, secrets: Sequence[Secret], images: Sequence[Image], transports: Sequence[NodeTransport]) -> frozenset[str]:
        """Remove Secrets and node images of ours that neither the current release nor the one a rollback would take uses.

        Return the images that those two use.
        """
        kept = self._kept()
        old = sorted(self._secret_names() - kept.secrets - {secret.name for secret in secrets})
        if old:
            self.cluster.kubectl("delete", "secret", "--ignore-not-found", *old)
        keep = kept.images | {image.reference for image in images}
        load.prune(transports, {image.repository for image in images}, keep)
        return kept.images

    def _kept(self) -> References:
        revisions = helm.history(self.cluster)
        keep = {each.number: each for each in (*revisions[-1:], helm.rollback_target(revisions, remembered.healthy(self.cluster))) if each}
        uses = [helm.references_of(self.cluster, revision) for revision in keep.values()]
        return References(frozenset().union(*(use.secrets for use in uses)), frozenset().union(*(use.images for use in uses)))

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Ask the services through the API server's proxy. Raises TaskError when that does not start.

        In a cluster of several nodes the proxy may be on another node than a pod, and what it sends is then for the network policies to
        judge, which do not know it; so there it is port forwards.
        """
        try:
            nodes = self.cluster.names("nodes")
        except CommandError:  # they may not be listed
            nodes = []
        return service_forward.open_client(self.cluster) if len(nodes) > 1 else service_proxy.open_client(self.cluster)

    def pods(self) -> list[PodState]:
        """Return the pods of the release."""
        pods = self.cluster.get("pods", selector=f"app.kubernetes.io/instance={self.cluster.release}")
        return [pod_state(pod) for pod in pods]

    def logs(self, service: str, lines: int) -> str:
        """Return the last lines that each pod of a service wrote. Raises InputError for a service that has no pod."""
        pods = [pod for pod in self.pods() if pod.service == service]
        if not pods:
            raise InputError(
                f"no pod of `{service}`",
                f"one of: {', '.join(sorted({pod.service for pod in self.pods()})) or 'none'}",
                code="service-unknown",
            )
        selector = f"app.kubernetes.io/instance={self.cluster.release},app.kubernetes.io/component={service}"
        argv = ("logs", "--selector", selector, "--all-containers", "--prefix", f"--tail={lines}", f"--max-log-requests={10 * len(pods)}")
        return self.cluster.kubectl(*argv).stdout

    def follow(self, pod: PodState, *, whole: bool) -> Iterator[str]:
        """Yield the lines that the service's container of a pod writes until it ends. Raises TaskError where they cannot be read."""
        return in_pod.follow(self.cluster, pod, whole=whole)

    def execute(self, pod: PodState, argv: Sequence[str], given: str) -> Result:
        """Run a program in the service's container of a pod. Raises TaskError where it cannot run."""
        return in_pod.execute(self.cluster, pod, argv, given)

    def diagnose(self) -> list[Diagnosis]:
        """Return what is wrong with the release, which is installed; nothing when it is healthy."""
        current = helm.history(self.cluster)[-1:]
        unfinished = [helm.unfinished(self.cluster.release, each) for each in current if each.status not in helm.WAS_DEPLOYED]
        try:
            drifted = [each.diagnosis() for each in drift.find(self.cluster)]
        except CommandError as error:
            drifted = [drift.refusal(self.cluster.release, (error.evidence or (error.cause,))[-1])]
        emptied = stuck_pods.emptied(observation.quick_snapshot(self.cluster))
        return [*unfinished, *drifted, *([emptied.diagnosis()] if emptied else []), *rollout.examine(self.cluster)]

    def policies_verdict(self, step: StepReport, *, refresh: bool) -> Verdict | None:
        """Return whether the cluster enforces network policies; None where the release has none.

        What was found is remembered in the namespace; refresh: try it all the same. Raises TaskError when it cannot be tried.
        """
        if not self.cluster.get("networkpolicies"):
            return None
        known = remembered.get(self.cluster, remembered.POLICIES)
        if known and not refresh:
            return Verdict(known)
        verdict = policy_probe.probe(self.cluster, step)
        if verdict is not Verdict.UNPROVEN:
            remembered.put(self.cluster, remembered.POLICIES, verdict)
        return verdict

    def remove(self, *, delete_data: bool, step: StepReport) -> list[str]:
        """Remove the release, the Secrets and, with the data or where there is none, the namespace; return what was removed."""
        found = self._namespace()
        if not found:
            return []
        if any(found["metadata"].get("labels", {}).get(key) != value for key, value in self.labels.items()):
            raise self._not_ours()
        removed = []
        if helm.history(self.cluster):
            step.progress(f"helm uninstall {self.cluster.release}")
            helm.uninstall(self.cluster)
            removed.append(f"release {self.cluster.release}")
        if secrets := sorted(self._secret_names()):
            step.progress("removing the Secrets")
            self.cluster.kubectl("delete", "secret", "--ignore-not-found", *secrets)
            removed.append(f"{len(secrets)} Secret{'' if len(secrets) == 1 else 's'}")
        volumes = self.volumes()
        if delete_data or not volumes:
            step.progress(f"removing the namespace {self.cluster.namespace}")
            remove_namespace(self.cluster, step)
            removed += [f"volume {name}" for name in volumes] + [f"namespace {self.cluster.namespace}"]
        return removed

    def volumes(self) -> list[str]:
        """Return the names of the volume claims in the namespace."""
        return self.cluster.names("persistentvolumeclaims")

    def _namespace(self) -> Object | None:
        found = self.cluster.get("namespace", self.cluster.namespace)
        return found[0] if found else None

    def _not_ours(self) -> InputError:
        return InputError(
            f"the namespace {self.cluster.namespace} in {self.cluster.context} was not made by this project",
            "name another one under `namespace` in invoke.yaml",
            code="namespace-not-ours",
        )

    def _secret_names(self) -> set[str]:
        return set(self.cluster.names("secrets", self._selector))

    @property
    def _selector(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self.labels.items())

    def _apply(self, manifest: str) -> None:
        self.cluster.kubectl(
            "apply", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGER}", "--filename", "-", input=manifest
        )

    def forget_older(self) -> None:
        """Let no rollback go to a release before this one: they hold a value that was withdrawn."""
        remembered.forget_older(self.cluster)

    def holders_of_others(self, secrets: Sequence[Secret]) -> list[str]:
        """Return the pods that name a Secret of ours other than these, and such Secrets, a line each."""
        return running.holders(self.cluster, self._selector, {secret.name for secret in secrets})


def reachable(cluster: Cluster) -> str:
    """Return why the API server does not answer within seconds, or an empty string."""
    argv = ("version", "--output", "json", f"--request-timeout={QUICK_SECONDS}s")
    try:
        connect = cluster.connection()
        answer = api.request(connect, "GET", "/version", QUICK_SECONDS) if connect else None
        if answer and answer[0] == http.client.OK:  # a refusal is told by kubectl, in its words
            return ""
        cluster.kubectl(*argv, timeout=2 * QUICK_SECONDS)
    except CommandError as error:
        return error.evidence[-1] if error.evidence else error.cause
    except MissingError as error:
        return error.cause
    return ""

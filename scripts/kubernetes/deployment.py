"""A release in a namespace of a cluster: its Secrets, its revisions, its rollout, requests to it, its removal."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from scripts.core.decision import Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import Secret
from scripts.desired.stages import Running
from scripts.images.archive import full_name
from scripts.images.prune import Superfluous, Use
from scripts.kubernetes import (
    api,
    drift,
    emptied_database,
    helm,
    installing,
    policy_probe,
    remembered,
    retries,
    rollout,
    running,
    service_forward,
    service_proxy,
    strange_revision,
    stuck_pods,
)
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis import observation
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.helm import Revision
from scripts.kubernetes.looking import look
from scripts.kubernetes.nodes import load
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.kubernetes.own_namespace import OwnNamespace
from scripts.kubernetes.pods import PodState, images_elsewhere, is_of_workloads, pod_state
from scripts.kubernetes.policy_probe import Verdict
from scripts.kubernetes.service_client import ServiceClient

QUICK_SECONDS = 5


class Deployment:
    """One release in a namespace of its own. Every method that changes something observes first."""

    def __init__(self, cluster: Cluster, part_of: str, *, ours: bool = True) -> None:
        """Take the cluster with the release that all calls are about, and the project that its objects are labelled with.

        ours: whether the chart is; of somebody else's, whose objects its own programs change, only their presence is checked.
        """
        self.cluster = cluster
        self._ours = ours
        self.part_of = part_of
        self.namespace = OwnNamespace(cluster, part_of)

    def beside(self, namespace: str, release: str) -> Deployment:
        """Return a release of somebody else's chart for the same project in the same cluster."""
        return Deployment(self.cluster.within(namespace, release), self.part_of, ours=False)

    def exists(self) -> bool:
        """Return whether helm has the release here. A cluster that does not answer within seconds has not.

        Raises TaskError where helm's record of the app may not be seen: then nobody knows.
        """
        selector = f"owner=helm,name={self.cluster.release}"
        try:
            return bool(self.cluster.names("secrets", selector, QUICK_SECONDS))
        except TaskError as error:
            if self._ours and error.code == "rights-missing":
                raise
            return False

    def decide_install(self, release: HelmRelease, step: StepReport) -> Decision:
        """Decide whether to install or upgrade: not where what runs has the release's fingerprint, and its objects are as it says."""
        return installing.decide(self.cluster, release, step, ours=self._ours)

    def running(self, secrets: Sequence[Secret]) -> Running | None:
        """Return what the release that serves was installed with, where it may differ from what these Secrets say. Raises TaskError."""
        return running.running(self.cluster, self.namespace.selector, {secret.name for secret in secrets})

    def await_rollout(self, timeout: float, step: StepReport, *, release: HelmRelease | None = None) -> Outcome:
        """Wait until the pods of what runs are ready, but for those that this release keeps for old pods; record that it is rolled out.

        It is recorded as a healthy one, to go back to, unless the release is a stage on the way to another.
        """
        leave_out = release.for_old_pods if release else ()
        try:
            outcome = rollout.watch(self.cluster, timeout, step, leave_out=leave_out)
        except TaskError as error:
            if not (self._ours and retries.restart_database(self.cluster, error, step)):
                raise
            outcome = rollout.watch(self.cluster, timeout, step, leave_out=leave_out)
        look(partial(remembered.record, self.cluster, as_healthy=release is None or release.last), step)
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
        gone = sorted(wanted.secrets - self.namespace.secret_names())
        for transport in transports:
            there = transport.images()
            gone += sorted(image for image in wanted.images if full_name(image) not in there)
        if gone:
            raise TaskError(
                f"cannot go back to revision {target.number}: {', '.join(gone)} is gone",
                "fix the sources, then invoke up",
                code="rollback-incomplete",
            )

    def images(self) -> frozenset[str]:
        """Return the images that the newest revision names, by `repository:tag` or digest. Raises CommandError."""
        return frozenset().union(*(helm.references_of(self.cluster, each).images for each in helm.history(self.cluster)[-1:]))

    def superfluous(
        self, secrets: Sequence[Secret], images: Sequence[Image], transports: Sequence[NodeTransport], *, everything: bool
    ) -> tuple[list[Superfluous], Use]:
        """Return Secrets and node images of ours that neither the current release nor the one a rollback would take uses; and what is used.

        everything: also images that no revision of the release names. Another release of the project may be about to use them.
        """
        revisions = helm.history(self.cluster)
        target = helm.rollback_target(revisions, remembered.healthy(self.cluster))
        uses = {each.number: helm.references_of(self.cluster, each) for each in revisions}
        kept = [uses[each.number] for each in (*revisions[-1:], target) if each]
        named = frozenset().union(*(use.images for use in uses.values()))
        use = Use(frozenset().union(*(use.images for use in kept)), None if everything else named)
        old = sorted(self.namespace.secret_names() - {name for each in kept for name in each.secrets} - {secret.name for secret in secrets})
        found = [Superfluous(self.cluster.namespace, f"Secret {name}", partial(self.namespace.remove_secrets, [name])) for name in old]
        elsewhere = images_elsewhere(self.cluster)
        if elsewhere is None:  # then nobody knows what others' pods run
            return found, use
        keep = use.kept | elsewhere | {image.reference for image in images}
        return [*found, *load.superfluous(transports, {image.repository for image in images}, keep, use.named)], use

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
        """Return the pods of the release: not those that others have given its labels, of which `diagnose` tells."""
        found = self.cluster.get("pods", selector=self.cluster.selector)
        return [pod_state(pod) for pod in found if is_of_workloads(pod, self.cluster.release)]

    def diagnose(self) -> list[Diagnosis]:
        """Return what is wrong with the release, which is installed; nothing when it is healthy."""
        revisions = helm.history(self.cluster)
        changed_past_us = [helm.unfinished(self.cluster.release, each) for each in revisions[-1:] if each.status not in helm.WAS_DEPLOYED]
        if self._ours and (strange := strange_revision.find(self.cluster, revisions)):
            changed_past_us.append(strange.diagnosis(self.cluster.release))
        drifted, unseen = self._drifted()
        changed_past_us += drifted
        emptied = emptied_database.find(observation.quick_snapshot(self.cluster))
        found = rollout.examine(self.cluster)
        return [*scaled_by_others(changed_past_us, found), *([emptied.diagnosis()] if emptied else []), *explained(found, drifted), *unseen]

    def _drifted(self) -> tuple[list[Diagnosis], list[Diagnosis]]:
        """Return what is not as the release says, and what of that could not be seen, which is no fault of the release."""
        try:
            return [each.diagnosis() for each in drift.find(self.cluster)], []
        except CommandError as error:
            if error.code == "rights-missing":
                return [], [drift.unseen(self.cluster.release, error)]
            return [drift.refusal(self.cluster.release, error.last_words)], []

    def known_policies_verdict(self) -> Verdict | None:
        """Return what was last found of the policies in this namespace; None where nothing was."""
        known = remembered.get(self.cluster, remembered.POLICIES)
        return Verdict(known) if known else None

    def policies_verdict(self, step: StepReport, *, refresh: bool) -> Verdict | None:
        """Return whether the cluster enforces network policies; None where the release has none.

        What was found is remembered in the namespace; refresh: try it all the same. Raises TaskError when it cannot be tried.
        """
        if not self.cluster.get("networkpolicies"):
            return None
        known = self.known_policies_verdict()
        if known and not refresh:
            return known
        verdict = policy_probe.probe(self.cluster, step)
        if verdict is not Verdict.UNPROVEN:
            remembered.put(self.cluster, remembered.POLICIES, verdict)
        return verdict

    def holders_of_others(self, secrets: Sequence[Secret]) -> list[str]:
        """Return the pods that name a Secret of ours other than these, and such Secrets, a line each."""
        return running.holders(self.cluster, self.namespace.selector, {secret.name for secret in secrets})


REPLICAS = "spec.replicas"


def scaled_by_others(drifted: Sequence[Diagnosis], found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return the drifts; a number of pods that somebody else's autoscaler sets follows from that. Pure."""
    scaled = {each.workload for each in found if each.code == "autoscaler-strange"}
    return [replace(each, follows_from=each.workload) if each.workload in scaled and REPLICAS in each.cause else each for each in drifted]


def explained(found: Sequence[Diagnosis], drifted: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return what was found, but for workloads of which nothing says why they are not rolled out: of a drifted one that does. Pure."""
    workloads = {each.workload for each in drifted}
    return [each for each in found if each.code not in ("not-rolled-out", "stalled") or each.workload not in workloads]


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
        return error.last_words
    except MissingError as error:
        return error.cause
    return ""

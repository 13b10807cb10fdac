"""What the engines on Kubernetes share: they hand the app to a deployment, and say how images get into the nodes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from scripts.config.service_problems import DATABASE
from scripts.config.settings import Settings
from scripts.core.decision import Decision
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.core.shell import Result
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import EXPORTER, Image
from scripts.desired.secrets import Secret
from scripts.desired.service_values import service_name
from scripts.desired.stages import Running
from scripts.engines import checked
from scripts.engines.protocol import Address
from scripts.images import prune
from scripts.images.archive import full_name
from scripts.images.prune import Superfluous
from scripts.kubernetes import cluster_dns, helm, pod_logs, remembered, usage
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment, reachable
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.nodes import load
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.kubernetes.operations import ClusterOperations
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.port_forward import ADDRESS, forward
from scripts.kubernetes.service_client import ServiceClient
from scripts.kubernetes.usage import Amounts, QuotaUse, Scaling
from scripts.logs.line import LogLine, LogQuery

EXECUTE_SECONDS = 90


class KubernetesEngine:
    """The part of an engine that is the same on every cluster. A subclass says how the cluster is reached and started."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        self._settings = settings
        self.deployment = Deployment(cluster, settings.release)

    @property
    def cluster(self) -> Cluster:
        """The cluster, with the app's namespace and release."""
        return self.deployment.cluster

    def platform(self) -> str:
        """Return the platform of the nodes; empty: the Docker daemon's, which runs them or shares their machine."""
        return ""

    def transports(self) -> Sequence[NodeTransport]:
        """Return how images get into each node. Raises TaskError or InputError where there is no way."""
        raise NotImplementedError

    def deployed(self) -> bool:
        """Return whether helm has the release here. A cluster that does not answer within seconds has not."""
        return self.deployment.exists()

    def silent(self) -> str:
        """Return why the API server does not answer, or an empty string."""
        return reachable(self.cluster)

    def check(self, release: HelmRelease) -> None:
        """Render the chart, unless the same rendered the last time. Raises TaskError with helm's words."""
        version = self._settings.kubernetes_version
        checked.unless_known("kubernetes", release, version, lambda: helm.render(release, version))

    def decide_load(self, images: Sequence[Image], step: StepReport) -> Decision:
        """Decide what to send to each node: what it lacks by its own list."""
        step.progress("asking the nodes what they have")
        return load.decide(self.transports(), images)

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide what of the namespace and the Secrets is to be made. Values travel on standard input."""
        return self.deployment.namespace.decide_secrets(secrets, step)

    def decide_install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Decision:  # noqa: ARG002 - they are there
        """Decide whether to install or upgrade: not where what runs has the release's fingerprint, and its objects are as it says."""
        return self.deployment.decide_install(cluster_dns.named(self.cluster, release), step)

    def running(self, secrets: Sequence[Secret]) -> Running | None:
        """Return what the release that was rolled out last was installed with; None where none serves."""
        return self.deployment.running(secrets)

    def await_rollout(self, release: HelmRelease, timeout: float, step: StepReport) -> Outcome:
        """Wait until the release's pods are ready, and record that."""
        return self.deployment.await_rollout(timeout, step, release=release)

    def superfluous(self, secrets: Sequence[Secret], images: Sequence[Image], *, everything: bool = False) -> list[Superfluous]:
        """Return Secrets and images of ours, of nodes and of the local engine, that neither the current release nor a rollback uses."""
        found, use = self.deployment.superfluous(secrets, images, self.transports(), everything=everything)
        return [*found, *prune.superfluous(self._settings, images, use)]

    def withdraw(self, secrets: Sequence[Secret], images: Sequence[Image]) -> list[str]:
        """Remove every Secret of ours but these, and the ways back to releases that hold others; return the pods that still name one."""
        remembered.forget_older(self.cluster)
        for each in self.superfluous(secrets, images):
            each.remove()
        return self.deployment.holders_of_others(secrets)

    def rollback(self, step: StepReport) -> Outcome:
        """Bring back the last healthy release other than the current one; the caller awaits the rollout. Raises what Deployment does."""
        return self.deployment.rollback(self.transports(), step)

    def open_client(self) -> AbstractContextManager[ServiceClient]:
        """Send requests to the services through the API server. Raises TaskError when that is not possible."""
        return self.deployment.open_client()

    def addresses(self) -> list[Address]:
        """Return the URLs of the public services behind the Ingress, or else the command that opens them through port forwards."""
        public = {name: service for name, service in self._settings.services.items() if service.public}
        if host := self._settings.ingress.host:
            return [Address(name, f"http://{host}{service.public_path}") for name, service in public.items()]
        return [Address(name, "invoke open") for name in public][:1]

    def pods(self) -> list[PodState]:
        """Return the pods of the release."""
        return self.deployment.pods()

    def usage(self) -> Mapping[str, Amounts]:
        """Return what each pod uses, as the cluster's metrics tell."""
        return usage.of_pods(self.cluster)

    def scaling(self) -> Sequence[Scaling]:
        """Return what the autoscalers do."""
        return usage.scaling(self.cluster)

    def quota(self) -> Sequence[QuotaUse]:
        """Return how much of the namespace's quotas is used."""
        return usage.quota(self.cluster)

    @property
    def operations(self) -> ClusterOperations:
        """What a person does by hand to a service."""
        return ClusterOperations(self.cluster)

    def diagnose(self) -> list[Diagnosis]:
        """Return everything that is wrong with the release, and its cause."""
        found = self.deployment.diagnose()
        return [*found, *(() if any(each.code == "image-not-on-node" for each in found) else self._lacking_images())]

    def _lacking_images(self) -> Iterator[Diagnosis]:
        """Yield the images of the release that were brought to the nodes, and of which one has been cleared: pods that run need none."""
        try:
            nodes = {transport.node: transport.images() for transport in self.transports()}
            wanted = sorted(self.deployment.images()) if nodes else []
            others = {node: load.moved(images, wanted) for node, images in nodes.items()}
        except TaskError:  # whoever may not look into the nodes
            return
        built = {f"{self._settings.project}-{name}" for name in (*self._settings.services, DATABASE, EXPORTER)}
        for reference in wanted:
            lacking = [node for node, images in nodes.items() if full_name(reference) not in images]
            repository = reference.partition(":")[0]
            if lacking and repository in built:
                cause = f"{repository}: its image is gone from node {', '.join(lacking)}: no new pod of it can start there"
                yield Diagnosis("image-cleared", repository, cause, (reference,), "invoke up loads it again")
            elif swapped := [node for node, found in others.items() if reference in found]:
                cause = f"{repository}: on node {', '.join(swapped)} its image and another one are the same: a new pod starts a wrong one"
                yield Diagnosis("image-cleared", repository, cause, (reference,), "invoke up loads both again")

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Yield what the pods wrote. Raises InputError for a service that has none."""
        return pod_logs.read(self.cluster, query)

    @contextlib.contextmanager
    def reach(self, service: str, port: int) -> Iterator[tuple[str, int]]:
        """Forward a port of this machine's loopback address to a service while the block runs. Raises TaskError."""
        with forward(self.cluster, f"service/{service_name(self.cluster.release, service)}", port) as local:
            yield ADDRESS, local

    def execute(self, pod: PodState, argv: Sequence[str], given: str) -> Result:
        """Run a program in the service's container of a pod. Raises TaskError where it cannot run."""
        command = ("exec", "--stdin", pod.name, "--container", pod.service, "--", *argv)
        return self.cluster.kubectl(*command, input=given, timeout=EXECUTE_SECONDS, ok=None, logged=False)

    def _remove_app(self, *, delete_data: bool, step: StepReport) -> Outcome:
        """Remove what `up` made in the cluster; tell what was removed, and which volumes were kept."""
        namespace = self.deployment.namespace
        removed = namespace.remove(delete_data=delete_data, step=step)
        kept = [] if delete_data else namespace.volumes()
        data = f"; kept the data (volume {', '.join(kept)})" if kept else ""
        return changed(f"removed {', '.join(removed)}{data}") if removed else unchanged(f"nothing was there{data}")

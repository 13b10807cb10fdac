"""The engine on a cluster that is there already: the context that the settings name, and never another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from scripts.config import proxies
from scripts.config.settings import Settings
from scripts.config.validation import meant
from scripts.core import shell
from scripts.core.check import Problem
from scripts.core.counting import several
from scripts.core.decision import Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.nested import at
from scripts.core.report import Outcome, StepReport
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.desired.secrets import PULL, Secret
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.remedies import remedy
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import reachable
from scripts.kubernetes.nodes import detect
from scripts.kubernetes.nodes.registry import ImageRegistry
from scripts.kubernetes.nodes.transports import NodeTransport

CONFIG_SECONDS = 10
METRICS_API = "v1beta1.metrics.k8s.io"
METRICS_SERVER = "https://github.com/kubernetes-sigs/metrics-server"
OFF = "serviceDefaults.autoscaling.enabled: false in chart.values"
ARCHITECTURE = "kubernetes.io/arch"


class KubeContextEngine(KubernetesEngine):
    """Runs the app in an existing cluster. It makes a namespace there, and removes what it made."""

    name = "kube_context"
    tools: Sequence[str] = ("docker", "kubectl", "helm")

    def __init__(self, settings: Settings) -> None:
        """Take the context that the settings name; nothing is asked yet, but for its server where there is a proxy."""
        context = settings.kube_context.context
        super().__init__(settings, Cluster(context, settings.namespace, settings.release, environment=_directly(context)))

    def unusable(self) -> str:
        """Return why the context cannot be used, or an empty string."""
        return self._not_named() or reachable(self.cluster)

    def deployed(self) -> bool:
        """Return whether helm has the release in the named context."""
        return not self._not_named() and super().deployed()

    def silent(self) -> str:
        """Return why the context cannot be asked, or an empty string."""
        return self.unusable()

    def preflight(self) -> list[Problem]:
        """Return why the cluster does not answer, may not be used, or has no way for images."""
        if reason := self.unusable():
            return [Problem(f"kube_context: {reason}", remedy(reason))]
        problems = []
        if not self.deployed() and self.cluster.kubectl("auth", "can-i", "create", "namespaces", ok=None).stdout.strip() != "yes":
            problems.append(Problem(f"{self.cluster.context} does not let you create namespaces", "use a context that does"))
        try:
            self.transports()
        except TaskError as error:
            problems.append(Problem(error.cause, error.action))
        return [*problems, *self._mixed()]

    def _mixed(self) -> list[Problem]:
        """What one image cannot serve: nodes of several platforms, unless the chart's values choose among them."""
        if len(self._platforms) < 2 or self._chosen in self._platforms:
            return []
        choice = f"{{serviceDefaults: {{nodeSelector: {{{ARCHITECTURE}: {self.platform().partition('/')[2]}}}}}}}"
        cause = f"the nodes are {' and '.join(self._platforms)}, and images are for one"
        return [Problem(cause, f"write chart: {{values: {choice}}} in invoke.yaml")]

    def platform(self) -> str:
        """Return the nodes' platform; of several the one that the chart's values choose, else the first."""
        return self._chosen if self._chosen in self._platforms else next(iter(self._platforms), "")

    @property
    def _chosen(self) -> str:
        return f"linux/{at(self._settings.chart.values, 'serviceDefaults', 'nodeSelector', ARCHITECTURE)}"

    @cached_property
    def _platforms(self) -> list[str]:
        """The platforms of the nodes that run Linux; none where the cluster does not answer."""
        try:
            nodes = [] if self._not_named() else self.cluster.get("nodes", timeout=CONFIG_SECONDS)
        except TaskError:
            return []
        infos = [node["status"]["nodeInfo"] for node in nodes]
        return sorted({f"linux/{info['architecture']}" for info in infos if info["operatingSystem"] == "linux"})

    def decide_start(self, step: StepReport) -> Decision:
        """Decide to start nothing. Verify that the cluster answers, and say which it is. Raises MissingError when it does not."""
        step.progress(f"asking {self.cluster.context}")
        if reason := self._not_named():
            raise self._missing(reason)
        try:
            nodes = self.cluster.get("nodes")
        except CommandError as error:
            raise self._missing(error.last_words) from None
        if not self.cluster.get("apiservice", METRICS_API) and self._scales():
            step.warn(
                f"{self.cluster.context} has no metrics-server, so the autoscalers see no metrics (<unknown>) and never scale: "
                f"install it ({METRICS_SERVER}; kind also needs its --kubelet-insecure-tls), or set {OFF}"
            )
        version = nodes[0]["status"]["nodeInfo"]["kubeletVersion"] if nodes else "no node"
        return Decision(f"{self.cluster.context}, {version}, {several(len(nodes), 'node')}")

    def _scales(self) -> bool:
        return at(self._settings.chart.values, "serviceDefaults", "autoscaling", "enabled") is not False

    def transports(self) -> Sequence[NodeTransport]:
        """Return how images get into each node; none when a registry hands them out. The nodes of a run are asked once."""
        return [] if self._registry else self._detected_transports

    @cached_property
    def _detected_transports(self) -> Sequence[NodeTransport]:
        return detect.find(self.cluster, self._settings.kube_context)

    def decide_load(self, images: Sequence[Image], step: StepReport) -> Decision:
        """Decide what to push to the registry that the settings name, or else to bring into the nodes."""
        return self._registry.decide_push(images) if self._registry else super().decide_load(images, step)

    def decide_install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide as every cluster does, on images named with the registry where there is one."""
        if self._registry:
            release = self._registry.named(release, [secret.name for secret in secrets if secret.service == PULL])
        return super().decide_install(release, secrets, step)

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove what `up` made. Raises InputError when asked to remove the cluster: it is not ours."""
        if delete_cluster:
            raise InputError(
                f"the cluster {self.cluster.context} was not made by this project", "remove it with what made it", code="cluster-not-ours"
            )
        if reason := self.unusable():
            raise self._missing(reason)
        return self._remove_app(delete_data=delete_data, step=step)

    def _missing(self, reason: str) -> MissingError:
        return MissingError(
            f"{self.cluster.context or 'kube_context'}: {reason}",
            remedy(reason),
            code="engine-unusable",
        )

    @cached_property
    def _registry(self) -> ImageRegistry | None:
        address = self._settings.kube_context.pushes_to
        return ImageRegistry(address) if address else None

    def _not_named(self) -> str:
        context = self.cluster.context
        if not context:
            return "no context is named under kube_context in invoke.yaml"
        if self.cluster.connection():  # nothing connects by a context that no kubeconfig has
            return ""
        try:
            return "" if context in self._contexts else f"the kubeconfig has no context {context}{meant(context, self._contexts)}"
        except TaskError as error:
            return error.last_words.removeprefix("error: ")

    @cached_property
    def _contexts(self) -> list[str]:
        return shell.run(["kubectl", "config", "get-contexts", "--output", "name"], timeout=CONFIG_SECONDS).stdout.splitlines()


@lru_cache
def _directly(context: str) -> dict[str, str | None]:
    """Return the environment in which a context's server in this network is not asked through a proxy, unless the kubeconfig names one."""
    if not context or not proxies.is_set(os.environ):
        return {}
    path = "{.clusters[0].cluster.server} {.clusters[0].cluster.proxy-url}"
    argv = ["kubectl", "config", "view", "--minify", "--context", context, "--output", f"jsonpath={path}"]
    try:
        server, _, own_proxy = shell.run(argv, timeout=CONFIG_SECONDS).stdout.strip().partition(" ")
        host = urlsplit(server).hostname or ""
    except (TaskError, ValueError):
        return {}
    return proxies.without_proxy(os.environ, [host]) if host and not own_proxy and proxies.is_near(host) else {}

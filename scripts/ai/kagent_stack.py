"""kagent's charts, values and objects, as the settings want them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from scripts.ai import providers, reader
from scripts.core.errors import InputError, MissingError
from scripts.core.hashes import NAME, short_hash
from scripts.core.paths import ROOT, expanded
from scripts.core.report import StepReport
from scripts.desired.helm_release import HelmRelease
from scripts.desired.secrets import Secret
from scripts.kubernetes.deployment import Deployment
from scripts.machine.tool_downloads import site_answers
from scripts.monitoring import charts
from scripts.project import Project

FOLDER = ROOT / "ai/kagent"
NAMESPACE = RELEASE = "kagent"
CRDS = "kagent-crds"
AGENT = "assistant"
TOOLS_ACCOUNT = "kagent-tools"
REGISTRIES = ("cr.kagent.dev", "ghcr.io", "registry-1.docker.io")
"""Where the images of the charts are: kagent's own, its tools', its database's."""
CHART_NAMES = (CRDS, RELEASE)
KEY = "API_KEY"


@dataclass
class Stack:
    """kagent for one project."""

    project: Project

    @cached_property
    def deployment(self) -> Deployment:
        """The release in its namespace. Raises InputError in an engine without Kubernetes."""
        return self.project.cluster_deployment().beside(NAMESPACE, RELEASE)

    @property
    def crds(self) -> Deployment:
        """The release of its custom resource definitions."""
        return self.project.cluster_deployment().beside(NAMESPACE, CRDS)

    @cached_property
    def secrets(self) -> list[Secret]:
        """The Secret with the provider's key, where it needs one. Raises InputError where the key is missing."""
        found = providers.environment(self.project)
        key = next((value for name, value in found.items() if name.endswith("_KEY")), "")
        return [Secret("model", f"kagent-model-{short_hash(key, NAME)}", {KEY: key})] if key else []

    def values(self) -> dict[str, Any]:
        """Return the chart's values, with the model that `ask` uses. They name the key's Secret, and hold no key."""
        ask = self.project.settings.ask
        name, address = providers.IN_KAGENT[ask.provider]
        model: dict[str, Any] = {"model": ask.model}
        if self.secrets:
            model |= {"apiKeySecretRef": self.secrets[0].name, "apiKeySecretKey": KEY}
        if ask.endpoint:
            model["config"] = {address: ask.endpoint}
        values = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
        return {**values, "providers": {"default": name, name: model}}

    def releases(self, step: StepReport) -> tuple[HelmRelease, HelmRelease]:
        """Return the releases of the definitions and of kagent, with their charts on this machine. Raises MissingError, InputError."""
        crds, kagent = (self._chart(name, step) for name in CHART_NAMES)
        definitions = {"kmcp": {"enabled": False}, "substrate": {"enabled": False}}
        return HelmRelease(CRDS, NAMESPACE, crds, definitions), HelmRelease(RELEASE, NAMESPACE, kagent, self.values())

    def _chart(self, name: str, step: StepReport) -> Path:
        wanted = self.project.settings.kagent
        if (folder := expanded(wanted.repository) / name).is_dir():
            return folder
        try:
            archive = charts.fetch(name, wanted.version, wanted.repository, step)
        except MissingError as error:
            raise self._unobtainable(f"the chart {name} {wanted.version}", error.evidence) from None
        charts.verify(archive, "")
        return archive

    def refuse_what_cannot_be(self) -> None:
        """Raise InputError, MissingError where it cannot run here, before anything is changed."""
        ask = self.project.settings.ask
        host = urlsplit(ask.endpoint).hostname or ""
        if host == "localhost" or host.startswith("127."):
            raise InputError(f"ask.endpoint: in a pod, {host} is the pod itself", "name an address that pods reach")
        if host and not providers.IN_KAGENT[ask.provider][1]:
            raise InputError(
                f"kagent cannot use another address for {ask.provider}", "leave ask.endpoint empty, or choose another ask.provider"
            )
        _ = self.secrets
        if not expanded(self.project.settings.kagent.repository).is_dir():
            silent = [each for each in REGISTRIES if not site_answers(f"https://{each}/v2/", refresh=True)]
            if silent:
                raise self._unobtainable("its images", [f"{each} does not answer" for each in silent])

    def _unobtainable(self, what: str, evidence: Any) -> MissingError:
        return MissingError(
            f"kagent cannot be installed here: {what} cannot be fetched. Nothing was changed",
            "connect to its registry, or set kagent.repository to a folder with its charts; invoke ask works without it",
            evidence,
            code="kagent-unobtainable",
        )

    def limits(self) -> list[dict[str, Any]]:
        """Return the network policy, the quota and the limit range of its namespace."""
        endpoint = urlsplit(self.project.settings.ask.endpoint)
        port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
        text = (FOLDER / "limits.yaml").read_text(encoding="utf-8").replace("PORT", str(port))
        return [*yaml.safe_load_all(text)]

    def rights(self) -> list[dict[str, Any]]:
        """Return the Role in the app's namespace, and who has it: kagent's tool server."""
        app = self.project.cluster_deployment()
        _, role, binding = reader.manifests(app.cluster.namespace, app.namespace.labels)
        for each in (role, binding):
            each["metadata"]["name"] = TOOLS_ACCOUNT
        binding["roleRef"]["name"] = TOOLS_ACCOUNT
        binding["subjects"] = [{"kind": "ServiceAccount", "name": TOOLS_ACCOUNT, "namespace": NAMESPACE}]
        return [role, binding]

    def agent(self) -> dict[str, Any]:
        """Return our Agent."""
        settings = self.project.settings
        text = (FOLDER / "agent.yaml").read_text(encoding="utf-8")
        found: dict[str, Any] = yaml.safe_load(text.replace("NAMESPACE", settings.namespace).replace("RELEASE", settings.release))
        return found

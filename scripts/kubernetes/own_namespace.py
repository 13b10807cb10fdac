"""The namespace that a release has to itself, and our Secrets in it. What carries our labels is ours; nothing else there is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from scripts.core.counting import several
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError
from scripts.desired import labels
from scripts.desired.secrets import PULL, Secret
from scripts.kubernetes import helm
from scripts.kubernetes.api import Object
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.namespace_removal import remove_namespace
from scripts.kubernetes.objects import labels_of, name_of, status_of

POD_SECURITY = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}


class OwnNamespace:
    """The namespace of one release. Every method that changes something observes first."""

    def __init__(self, cluster: Cluster, part_of: str) -> None:
        self.cluster = cluster
        self.labels = labels.of_project(part_of)

    @property
    def selector(self) -> str:
        """What selects our objects by their labels."""
        return labels.selector(self.labels)

    def secret_names(self) -> set[str]:
        """Return the names of our Secrets."""
        return set(self.cluster.names("secrets", self.selector))

    def volumes(self) -> list[str]:
        """Return the names of the volume claims in the namespace."""
        return self.cluster.names("persistentvolumeclaims")

    def decide_secrets(self, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide what of the namespace and the Secrets is to be made. Values travel on standard input.

        Raises InputError when there is a namespace that is not ours, TaskError while it is being removed.
        """
        step.progress("checking the namespace")
        why = self._why_namespace()
        there = self._secrets()
        missing = [secret for secret in secrets if secret.name not in there]
        strange = [secret for secret in secrets if there.get(secret.name)]
        changes = [Change(f"make the namespace {self.cluster.namespace}", why)] if why else []
        changes += [Change(f"make the Secret {secret.name} ({', '.join(secret.keys)})", "it is not there") for secret in missing]
        changes += [Change(f"make the Secret {secret.name} again", f"{there[secret.name]} has replaced it") for secret in strange]
        of_workloads = [secret for secret in secrets if secret.service != PULL]
        keys = f"{sum(len(secret.keys) for secret in of_workloads)} keys for {len(of_workloads)} workloads"
        return Decision(keys, tuple(changes), partial(self._make, missing, strange, keys, namespace=bool(why)))

    def _secrets(self) -> dict[str, str]:
        """Return the names of our Secrets, each with who else has made it, as far as that is known: what we make, we apply."""
        found = self.cluster.metadata("secrets", self.selector)
        if found is None:
            return dict.fromkeys(self.secret_names(), "")
        managers = {each["name"]: [entry.get("manager", "") for entry in each.get("managedFields", ())] for each in found}
        return {name: "" if labels.MANAGER in by else ", ".join(by) for name, by in managers.items()}

    def _make(self, missing: Sequence[Secret], strange: Sequence[Secret], keys: str, step: StepReport, *, namespace: bool) -> Outcome:
        if namespace:
            self.cluster.apply(self._manifest())  # before anything is in it
        if strange:
            self.remove_secrets([secret.name for secret in strange])
            names = ", ".join(secret.service for secret in strange)
            step.warn(
                f"somebody had replaced the Secret of {names}. A node keeps what an immutable one held while a pod uses it: where pods have"
                f" started with the other, invoke scale SERVICE 0, then invoke up"
            )
        missing = [*missing, *strange]
        for secret in missing:
            step.progress(f"making {secret.name} ({', '.join(secret.keys)})")
            self.cluster.apply(secret.manifest(self.cluster.namespace, self.labels))
        return changed(f"{keys}: made {', '.join([*(['the namespace'] if namespace else []), *(secret.name for secret in missing)])}")

    def _why_namespace(self) -> str:
        """Return why the namespace is to be made or labelled, or an empty string."""
        found = self._found()
        if not found:
            return "it is not there"
        self._refuse_others(found)
        if status_of(found).get("phase") == "Terminating":
            raise TaskError(
                f"the namespace {self.cluster.namespace} is being removed", "wait a moment, then run it again", code="namespace-terminating"
            )
        return "" if POD_SECURITY.items() <= labels_of(found).items() else "it lacks the labels of Pod Security `restricted`"

    def _manifest(self) -> str:
        """The namespace, with Pod Security `restricted`."""
        metadata = {"name": self.cluster.namespace, "labels": {**self.labels, **POD_SECURITY}}
        return json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def remove(self, *, delete_data: bool, step: StepReport) -> list[str]:
        """Remove the release, the Secrets and, with the data or where there is none, the namespace; return what was removed."""
        found = self._found()
        if not found:
            return []
        self._refuse_others(found)
        removed = []
        if helm.history(self.cluster):
            step.progress(f"helm uninstall {self.cluster.release}")
            helm.uninstall(self.cluster)
            removed.append(f"release {self.cluster.release}")
        if secrets := sorted(self.secret_names()):
            step.progress("removing the Secrets")
            self.remove_secrets(secrets)
            removed.append(several(len(secrets), "Secret"))
        volumes = self.volumes()
        if delete_data or not volumes:
            retained = self._retained() if volumes else []
            step.progress(f"removing the namespace {self.cluster.namespace}")
            remove_namespace(self.cluster, step)
            removed += [f"{'claim' if retained else 'volume'} {name}" for name in volumes] + [f"namespace {self.cluster.namespace}"]
            for name in retained:
                step.warn(f"the cluster keeps the data, since the volume's class says so (Retain): kubectl delete persistentvolume {name}")
        return removed

    def _retained(self) -> list[str]:
        """Return the volumes that outlive their claims, as far as they may be seen."""
        try:
            bound = [claim["spec"].get("volumeName") for claim in self.cluster.get("persistentvolumeclaims")]
            volumes = [volume for name in bound if name for volume in self.cluster.get("persistentvolume", name)]
        except CommandError:
            return []
        return [name_of(volume) for volume in volumes if volume["spec"].get("persistentVolumeReclaimPolicy") == "Retain"]

    def remove_secrets(self, names: Sequence[str]) -> None:
        """Remove Secrets, as far as they are there."""
        if names:
            self.cluster.kubectl("delete", "secret", "--ignore-not-found", *names)

    def keep_secrets(self, secrets: Sequence[Secret]) -> None:
        """Remove every Secret of ours but these: nothing uses another one any more."""
        self.remove_secrets(sorted(self.secret_names() - {secret.name for secret in secrets}))

    def _found(self) -> Object | None:
        found = self.cluster.get("namespace", self.cluster.namespace)
        return found[0] if found else None

    def _refuse_others(self, found: Object) -> None:
        if not self.labels.items() <= labels_of(found).items():
            raise InputError(
                f"the namespace {self.cluster.namespace} in {self.cluster.context} was not made by this project",
                "name another one under `namespace` in invoke.yaml",
                code="namespace-not-ours",
            )

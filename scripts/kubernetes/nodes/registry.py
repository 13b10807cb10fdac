"""Images by a registry: pushed there under their own tags, and named with it, by digest, in the chart's values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from docker.errors import APIError, DockerException

from scripts.core import shell
from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.machine.docker_client import CLI_ENVIRONMENT, docker_client, docker_refusal

PUSH_SECONDS = 900
TAG_SECONDS = 30
CREDENTIALS = "install the helper, or take credsStore and credHelpers out of ~/.docker/config.json, then docker login"
ACTIONS = {
    "x509": "let Docker trust the registry's CA (/etc/docker/certs.d/REGISTRY/ca.crt), or name it under insecure-registries in daemon.json",
    "HTTP response to HTTPS client": "name the registry under insecure-registries in Docker's daemon.json",
    "credentials": CREDENTIALS,
    "no basic auth": "docker login",
    "unauthorized": "docker login",
    "authentication required": "docker login",
    "denied": "docker login as somebody who may push there, or fix kube_context.registry in invoke.yaml",
    "no such host": "fix the host in kube_context.registry in invoke.yaml",
    "connection refused": "start the registry, or fix kube_context.registry in invoke.yaml",
    "Client.Timeout": "start the registry, or fix kube_context.registry in invoke.yaml",
    "no space left": "free disk space where the registry keeps images",
}
"""What to do about a push that failed, by what `docker push` says."""


class ImageRegistry:
    """A registry that this machine pushes to and nodes pull from. What it says of an image that it has is asked once."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._digests: dict[str, str] = {}

    def decide_push(self, images: Sequence[Image]) -> Decision:
        """Decide what to push: what the registry says that it lacks. Raises TaskError when it cannot be asked."""
        missing = [image for image in images if not self._digest(image.reference)]
        changes = tuple(Change(f"push {image.reference}", f"{self.address} lacks it") for image in missing)
        return Decision(f"{len(images)} in {self.address}", changes, partial(self._push, missing))

    def _push(self, missing: Sequence[Image], step: StepReport) -> Outcome:
        """Push the images, and verify by the registry's own answer. Docker sends only the layers that it lacks."""
        for image in missing:
            target = f"{self.address}/{image.reference}"
            step.progress(f"pushing {target}")
            shell.run(["docker", "tag", image.reference, target], timeout=TAG_SECONDS)
            try:
                shell.run(["docker", "push", target], timeout=PUSH_SECONDS, env=CLI_ENVIRONMENT, on_line=step.progress)
            except CommandError as error:
                raise _not_pushed(target, error) from None
            if not self._digest(image.reference):
                raise TaskError(f"{self.address} does not know {target} after the push", f"docker push {target}", code="push-failed")
        return changed(f"pushed {', '.join(image.reference for image in missing)} to {self.address}")

    def _digest(self, reference: str) -> str:
        """Return what the registry has under `repository:tag`; empty where it has nothing, or is not asked with success."""
        if not self._digests.get(reference):
            self._digests[reference] = _digest_of(f"{self.address}/{reference}")
        return self._digests[reference]

    def named(self, release: HelmRelease, login: Sequence[str] = ()) -> HelmRelease:
        """Return the release with every image as the registry has it: by digest, so that all nodes run the same bytes.

        An image that is not there yet (a plan asks before the push) is named by its tag. login: names of Secrets that nodes log in with.
        """
        values: dict[str, Any] = self._named(release.values)
        for section in ("serviceDefaults", "postgres") if login else ():
            own = values.get(section) or {}
            values[section] = {**own, "imagePullSecrets": [*own.get("imagePullSecrets", ()), *({"name": name} for name in login)]}
        return dataclasses.replace(release, values=values)

    def _named(self, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        result = {key: self._named(value) for key, value in values.items()}
        image = result.get("image")
        if isinstance(image, Mapping) and image.get("repository") and not image["repository"].startswith(f"{self.address}/"):
            result["image"] = self._of_image(image)
        return result

    def _of_image(self, image: Mapping[str, Any]) -> dict[str, Any]:
        by_tag = {**image, "repository": f"{self.address}/{image['repository']}"}
        if not image.get("tag") or not (digest := self._digest(f"{image['repository']}:{image['tag']}")):
            return by_tag
        return {key: value for key, value in by_tag.items() if key != "tag"} | {"digest": digest}


def _digest_of(reference: str) -> str:
    """Return the digest of an image in a registry; empty where it is not there, or where it cannot be asked: a push tells why better.

    Of a registry on the loopback address with TLS the daemon tries https, then http, and tells the last error.
    """
    api: Any = docker_client().api
    try:
        return str(api.inspect_distribution(reference)["Descriptor"]["digest"])
    except APIError:
        return ""
    except TaskError as error:
        if docker_refusal():
            raise
        action = "start the registry, or fix kube_context.registry in invoke.yaml"
        raise TaskError(f"the registry of {reference} does not answer", action, code="push-failed") from error
    except DockerException as error:  # docker-py asks the helper of the client's configuration for the password
        cause = f"the password for {reference.partition('/')[0]} cannot be had: {error}"
        raise TaskError(cause, CREDENTIALS, code="push-failed") from None


def _not_pushed(target: str, error: CommandError) -> TaskError:
    said = next((line for line in reversed(error.evidence) if line.strip()), error.cause)
    otherwise = "look at the registry's log, or fix kube_context.registry in invoke.yaml"
    action = next((action for words, action in ACTIONS.items() if words in said), otherwise)
    return TaskError(f"{target} cannot be pushed: {said}", action, error.evidence)

"""Images by a registry: pushed there under their own tags, and named with it in the chart's values."""

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


def decide_push(registry: str, images: Sequence[Image]) -> Decision:
    """Decide what to push: what the registry says that it lacks. Raises TaskError when it cannot be asked."""
    missing = [image for image in images if not _there(f"{registry}/{image.reference}")]
    changes = tuple(Change(f"push {image.reference}", f"{registry} lacks it") for image in missing)
    return Decision(f"{len(images)} in {registry}", changes, partial(_push, registry, missing))


def _push(registry: str, missing: Sequence[Image], step: StepReport) -> Outcome:
    """Push the images, and verify by the registry's own answer. Docker sends only the layers that it lacks."""
    for image in missing:
        target = f"{registry}/{image.reference}"
        step.progress(f"pushing {target}")
        shell.run(["docker", "tag", image.reference, target], timeout=TAG_SECONDS)
        try:
            shell.run(["docker", "push", target], timeout=PUSH_SECONDS, env=CLI_ENVIRONMENT, on_line=step.progress)
        except CommandError as error:
            raise _not_pushed(target, error) from None
        if not _there(target):
            raise TaskError(f"{registry} does not know {target} after the push", f"docker push {target}", code="push-failed")
    return changed(f"pushed {', '.join(image.reference for image in missing)} to {registry}")


def _there(reference: str) -> bool:
    """Return whether the registry has the image. Where it cannot be asked, it has not: the push tells why better than the question.

    Of a registry on the loopback address with TLS the daemon tries https, then http, and tells the last error.
    """
    api: Any = docker_client().api
    try:
        api.inspect_distribution(reference)
    except APIError:
        return False
    except TaskError as error:
        if docker_refusal():
            raise
        action = "start the registry, or fix kube_context.registry in invoke.yaml"
        raise TaskError(f"the registry of {reference} does not answer", action, code="push-failed") from error
    except DockerException as error:  # docker-py asks the helper of the client's configuration for the password
        cause = f"the password for {reference.partition('/')[0]} cannot be had: {error}"
        raise TaskError(cause, CREDENTIALS, code="push-failed") from None
    return True


def _not_pushed(target: str, error: CommandError) -> TaskError:
    said = next((line for line in reversed(error.evidence) if line.strip()), error.cause)
    otherwise = "look at the registry's log, or fix kube_context.registry in invoke.yaml"
    action = next((action for words, action in ACTIONS.items() if words in said), otherwise)
    return TaskError(f"{target} cannot be pushed: {said}", action, error.evidence)


def named(registry: str, release: HelmRelease) -> HelmRelease:
    """Return the release with the registry in front of every image of its values."""
    values: dict[str, Any] = _prefixed(registry, release.values)
    return dataclasses.replace(release, values=values)


def _prefixed(registry: str, values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    result = {key: _prefixed(registry, value) for key, value in values.items()}
    image = result.get("image")
    if isinstance(image, Mapping) and image.get("repository"):
        result["image"] = {**image, "repository": f"{registry}/{image['repository']}"}
    return result

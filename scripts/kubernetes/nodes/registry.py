"""Images by a registry: pushed there under their own tags, and named with it in the chart's values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from docker.errors import APIError, NotFound

from scripts.core import shell
from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import Image
from scripts.machine.docker_client import docker_client

PUSH_SECONDS = 900
TAG_SECONDS = 30


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
        shell.run(["docker", "push", target], timeout=PUSH_SECONDS, on_line=step.progress)
        if not _there(target):
            raise TaskError(f"{registry} does not know {target} after the push", f"docker push {target}", code="push-failed")
    return changed(f"pushed {', '.join(image.reference for image in missing)} to {registry}")


def _there(reference: str) -> bool:
    api: Any = docker_client().api
    try:
        api.inspect_distribution(reference)
    except NotFound:
        return False
    except APIError as error:
        if "manifest unknown" in str(error.explanation).lower():
            return False
        cause = f"the registry of {reference} cannot be asked: {error.explanation}"
        raise TaskError(cause, "docker login, or fix kube_context.registry in invoke.yaml", code="push-failed") from None
    return True


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

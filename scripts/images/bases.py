"""Base images: the registry's, or, where no registry answers, the same made from Debian packages."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache, lru_cache, partial

import requests
from docker.errors import APIError, DockerException, ImageNotFound

import docker
from scripts.config.services import Source, shown
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.report import StepReport
from scripts.desired.images import BaseImage, built_on
from scripts.images import base_recipes
from scripts.images.base_recipes import packages_reference
from scripts.machine.docker_client import CLI_ENVIRONMENT, docker_client
from scripts.machine.docker_endpoint import find_endpoint
from scripts.machine.docker_errors import told

REGISTRY_SECONDS = 20  # for the registry's first answer, not for the download
UNREACHABLE = re.compile(
    "dial tcp|no such host|i/o timeout|TLS handshake|x509|proxyconnect|connection re(fused|set)|Client.Timeout|deadline exceeded"
    "|unreachable|EOF|50[234] "
)
"""What an engine says of a registry that it cannot ask. It says other things of a mirror that lacks the image, and pulls nevertheless."""


def image_id(reference: str) -> str | None:
    """Return the id of an image that the engine has; None where it has none. Raises TaskError."""
    with told(f"{reference} cannot be looked for"):
        try:
            return str(docker_client().images.get(reference).id)
        except ImageNotFound:
            return None


class Known:
    """What the engine has of what images are built on. It is asked once for what many are built on, when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.id = cache(image_id)
        self.base = cache(partial(find_base, settings))


def find(settings: Settings, source: Source, known: Known) -> BaseImage | None:
    """Return what `source` is built on, as the engine has it, or None where a part of it is not there."""
    if source.base:
        return known.base(source.base)
    ids = [known.id(needed.image) for needed in built_on(settings, source).images]
    return BaseImage("", "", tuple(each for each in ids if each)) if all(ids) else None


def missing(settings: Settings, sources: Mapping[str, Source], known: Known) -> dict[str, str]:
    """Return what the engine lacks of what the sources are built on: bases of ours and others' images, with the place that names it."""
    lacks: dict[str, str] = {}
    for name, source in sources.items():
        if source.base:
            if known.base(source.base) is None:
                lacks[source.base] = ""
            continue
        for needed in built_on(settings, source).images:
            if known.id(needed.image) is None and needed.image not in lacks:
                lacks[needed.image] = f"services.{name}.image" if source.image else f"line {needed.line} of {shown(source.file())}"
    return lacks


def bring(settings: Settings, name: str, place: str, step: StepReport) -> None:
    """Bring what is missing into the engine: a base of ours, or, where a place names it, somebody else's image. Raises TaskError."""
    if not place:
        ensure(settings, name, step)
        return
    if refusal := _pull(name, settings.build.timeout_seconds, step):
        raise TaskError(
            f"the image {name} cannot be pulled; {place} names it",
            "fix the network or Docker's proxy; or load it another way (docker load, docker tag); or name another image there",
            [refusal],
            code="base-image-unobtainable",
        )


def find_base(settings: Settings, name: str) -> BaseImage | None:
    """Return the base image `name` that the engine has: the registry's one before the one made from packages, or None."""
    base = settings.base_images[name]
    if settings.build.base_source in ("auto", "registry") and (found := image_id(base.image)):
        return BaseImage(base.image, base.image, (found,))
    if settings.build.base_source in ("auto", "packages"):
        build = packages_reference(settings.project, name, base)
        runtime = packages_reference(settings.project, name, base, runtime=True)
        build_id, runtime_id = image_id(build), image_id(runtime)
        if build_id and runtime_id:
            return BaseImage(build, runtime, (build_id, runtime_id))
    return None


def ensure(settings: Settings, name: str, step: StepReport) -> BaseImage:
    """Return the base image `name`, bringing it into the engine first where it is not there.

    The registry is asked first, unless `build.base_source` says `packages`; then, unless it says `registry`, it is made from packages.
    Raises TaskError, or MissingError where mmdebstrap is needed and not there, with what was tried and why each failed.
    """
    if found := find_base(settings, name):
        return found
    image, refusals = settings.base_images[name].image, []
    if settings.build.base_source != "packages" and (refusal := _pull(image, settings.build.timeout_seconds, step)):
        refusals.append(f"{image}: {refusal}")
        if settings.build.base_source == "auto":
            step.warn(f"{image} cannot be pulled ({refusal.rpartition(': ')[2]}); making it from Debian packages instead")
    if settings.build.base_source != "registry" and find_base(settings, name) is None:
        _make(settings, name, refusals, step)
    found = find_base(settings, name)
    if found is None:
        raise TaskError(
            f"the base image `{name}` cannot be pulled from its registry", _how(refusals), refusals, code="base-image-unobtainable"
        )
    return found


def _make(settings: Settings, name: str, refusals: list[str], step: StepReport) -> None:
    what = "can be neither pulled nor built from packages" if refusals else "cannot be built from packages"
    title = f"the base image `{name}` {what}"
    if obstacle := base_recipes.obstacle():
        raise MissingError(title, _how(refusals), [*refusals, f"from packages: {obstacle}"], code="base-image-unobtainable")
    try:
        base_recipes.make(settings, name, step)
    except shell.CommandError as error:
        raise TaskError(
            title, _how(refusals), [*refusals, f"from packages: {error.cause}", *error.evidence], code="base-image-unobtainable"
        ) from None


def _how(refusals: Sequence[str]) -> str:
    if any("toomanyrequests" in refusal for refusal in refusals):
        return "docker login: the registry gives more pulls to those who are logged in; or wait some hours"
    if sys.platform != "linux":
        return "bring this machine online, or set the proxy of Docker Desktop; then run it again"
    return f"fix the network or Docker's proxy; or, to make bases from packages: {base_recipes.remedy()}"


def registry_digest(image: str) -> str:
    """Return the digest that an image has in its registry. Takes REGISTRY_SECONDS at most; raises what Docker's library raises."""
    endpoint = find_endpoint()
    with closing(docker.DockerClient(base_url=endpoint.host, tls=endpoint.tls or False, timeout=REGISTRY_SECONDS)) as client:
        return str(client.images.get_registry_data(image).id)


@lru_cache
def registry_error(image: str) -> str:
    """Return why the engine cannot ask the registry of `image`, or an empty string. Takes REGISTRY_SECONDS at most, once a run.

    An answer of any kind is one: whether the image is there, the pull decides.
    """
    try:
        registry_digest(image)
    except APIError as error:
        text = str(error.explanation or error).strip()
        return text if UNREACHABLE.search(text) else ""
    except (requests.RequestException, OSError):
        return f"the registry did not answer within {REGISTRY_SECONDS} s"
    except DockerException as error:
        return f"Docker's client configuration is at fault (config.json: credsStore, credHelpers): {error}"
    return ""


def _pull(image: str, timeout: float, step: StepReport) -> str:
    """Pull `image` where its registry answers; return why it failed, or an empty string."""
    if refusal := registry_error(image):
        return refusal
    step.progress(f"pulling {image}")
    try:
        shell.run(["docker", "pull", image], timeout=timeout, env=CLI_ENVIRONMENT, on_line=step.progress)
    except shell.CommandError as error:
        return error.last_words
    return ""

"""Builds one image on this machine, and verifies what was built."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scripts.config.services import shown
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from scripts.core.report import StepReport
from scripts.desired.dockerfile import read
from scripts.desired.images import Image
from scripts.desired.labels import COMPONENT, PART_OF
from scripts.images import stages
from scripts.images.bases import registry_error
from scripts.images.build_network import behind_docker_desktop, network_arguments, proxy_arguments, proxy_environment
from scripts.images.build_output import BuildOutput
from scripts.images.builder import buildx
from scripts.images.provenance import labels
from scripts.images.users import built
from scripts.machine.docker_client import CLI_ENVIRONMENT, build_platform, docker_client
from scripts.machine.docker_endpoint import find_endpoint
from scripts.machine.docker_errors import told

BUILD_ENVIRONMENT: Mapping[str, str | None] = {
    "DOCKER_BUILDKIT": "0",  # for `docker build`, which we use for the classic builder alone
    "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",  # they make an image that older loaders cannot read; an old buildx does not know the option
    "DOCKER_CONTENT_TRUST": None,  # bases of ours are signed by nobody; what is pulled was judged when it was pulled
}
STAGE_IS_GONE = "No such image: sha256:"
"""What the classic builder says of an earlier stage that was removed while it built, as by a prune or another checkout's build."""


def missing(images: Sequence[Image]) -> list[Image]:
    """Return the images that the engine has not; asked once."""
    with told("the images cannot be listed"):
        listed: Any = docker_client().api.images()
    there = {tag for each in listed for tag in each["RepoTags"] or ()}
    return [image for image in images if image.reference not in there]


def build(image: Image, copy: Image, ca_image: str, settings: Settings, step: StepReport) -> None:
    """Build one image of a copy of its sources. Its name appears when the build has ended well, and not before."""
    output, left = BuildOutput(), stages.Stages()

    def show(line: str) -> None:
        output.take(line)
        left.take(line)
        step.progress(f"{image.service}: {line}")

    with_buildx, desktop = buildx(), behind_docker_desktop()
    if image.platform != build_platform():
        _refuse_foreign(image, settings, buildkit=bool(with_buildx))
    _suit_builder(image, copy, step, buildkit=bool(with_buildx))
    argv = build_argv(copy, ca_image, with_buildx, release=settings.release)
    argv += [part for name, value in labels(image.context, image.dockerfile) for part in ("--label", f"{name}={value}")]
    environment = {**CLI_ENVIRONMENT, **proxy_environment(desktop=desktop), **BUILD_ENVIRONMENT}

    def run() -> None:
        command = [*argv, *network_arguments(desktop=desktop), str(copy.context)]
        shell.run(command, timeout=settings.build.timeout_seconds, env=environment, on_line=show)

    try:
        try:
            run()
        except shell.CommandError as error:
            if not any(STAGE_IS_GONE in line for line in (*error.evidence, *output.shown())):
                raise
            step.progress(f"{image.service}: somebody has removed a stage of this build; building again")
            run()
    except shell.CommandError as error:
        dockerfile = shown(image.dockerfile)
        evidence = output.shown() or [error.cause]
        if image.platform != build_platform() and any("exec format error" in line for line in evidence):
            action = f"docker run --privileged --rm tonistiigi/binfmt --install {image.platform.partition('/')[2]}"
            raise MissingError(
                f"Docker cannot run programs of {image.platform}, which {image.service} is built for", action, code="platform-unsupported"
            ) from error
        raise TaskError(
            f"building {image.service} failed", f"fix it in {dockerfile} or what it copies", evidence, code="build-failed"
        ) from error
    stages.replace(image.repository, left.ids)


def _suit_builder(image: Image, copy: Image, step: StepReport, *, buildkit: bool) -> None:
    """Refuse what only BuildKit can read where there is none (MissingError); leave out a syntax that no registry brings, in the copy."""
    text = copy.dockerfile.read_text(encoding="utf-8", errors="replace")
    if not buildkit and (reason := read(text, copy.arguments, copy.target).buildkit):
        raise MissingError(f"{shown(image.dockerfile)} needs BuildKit, for {reason}", "invoke setup", code="buildkit-missing")
    syntax = re.match(r"#\s*syntax\s*=\s*(\S+).*\n", text, re.IGNORECASE)
    if buildkit and syntax and registry_error(syntax[1]):
        step.warn(f"{shown(image.dockerfile)}: {syntax[1]} cannot be pulled; Docker's built-in Dockerfile parser is used instead")
        copy.dockerfile.write_text(text[syntax.end() :], encoding="utf-8")


def _refuse_foreign(image: Image, settings: Settings, *, buildkit: bool) -> None:
    """Refuse a platform that is not the daemon's where it cannot be built for. Raises MissingError."""
    what = f"building {image.service} for {image.platform} on {build_platform()}"
    if not buildkit:
        raise MissingError(f"{what} needs BuildKit", "install docker-buildx", code="buildkit-missing")
    pulled = {"", *(base.image for base in settings.base_images.values())}
    if image.base.build not in pulled:  # made from packages, those of this machine
        raise MissingError(
            f"{what} needs a base image from a registry",
            "set build.base_source: registry, or build on such a machine",
            code="platform-unsupported",
        )


def build_argv(image: Image, ca_image: str, with_buildx: Sequence[str], *, release: str) -> list[str]:
    """Return the command that builds an image, but for its context; proxies are named, not shown.

    with_buildx: the words that start buildx; without them the classic builder builds. It is not `docker build`, which is BuildKit's only
    where the client is new enough; and it is the daemon's own builder, since no other knows the base images that exist here alone.
    """
    if with_buildx:
        argv = [*with_buildx, "build", "--builder", find_endpoint().context, "--load", "--progress", "plain"]
        argv += ["--platform", image.platform]
    else:  # it otherwise leaves the container of a step that failed
        argv = ["docker", "build", "--force-rm"]
    argv += ["--file", str(image.dockerfile), "--tag", image.reference]
    argv += ["--label", f"{PART_OF}={release}", "--label", f"{COMPONENT}={image.service}"]
    argv += ["--target", image.target] if image.target else []
    argv += [part for key, value in build_arguments(image, ca_image).items() for part in ("--build-arg", f"{key}={value}")]
    return [*argv, *proxy_arguments()]


def build_arguments(image: Image, ca_image: str) -> dict[str, str]:
    """Return the build arguments of an image: its own, and of ours those that its Dockerfile declares."""
    ours = {"BASE_IMAGE": image.base.build, "CA_IMAGE": ca_image}
    if image.base.runtime != image.base.build:
        ours["RUNTIME_IMAGE"] = image.base.runtime
    declared = image.dockerfile.read_text(encoding="utf-8", errors="replace")
    passed = {key: value for key, value in ours.items() if value and f"ARG {key}" in declared and key not in image.arguments}
    return {**passed, **image.arguments}


def size_mb(image: Image) -> float:
    """Return the size of an image in megabytes (10^6 bytes), as Docker counts it."""
    return float(built(image).attrs["Size"]) / 1e6

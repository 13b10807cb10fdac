"""Builds one image on this machine, and verifies what was built."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections import deque
from pathlib import Path
from typing import Any

from docker.errors import ImageNotFound

from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.report import StepReport
from scripts.desired.build_context import HEX_DIGITS
from scripts.desired.images import UID, Image
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import build_platform, docker_client

SHOWN_LINES = 20
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def exists(image: Image) -> bool:
    """Return whether the engine has the image; its tag stands for its content."""
    try:
        docker_client().images.get(image.reference)
    except ImageNotFound:
        return False
    return True


def build(image: Image, ca_image: str, settings: Settings, step: StepReport) -> None:
    """Build one image. Its name appears when the build has ended well, and not before."""
    last: deque[str] = deque(maxlen=SHOWN_LINES)

    def show(line: str) -> None:
        last.append(line)
        step.progress(f"{image.service}: {line}")

    try:
        buildkit = has_buildkit()
        argv = build_argv(image, ca_image, buildkit=buildkit, release=settings.release)
        shell.run(
            argv,
            timeout=settings.build.timeout_seconds,
            env={"DOCKER_BUILDKIT": "1" if buildkit else "0"},
            on_line=show,
        )
    except shell.CommandError as error:
        dockerfile = image.dockerfile.relative_to(ROOT)
        raise TaskError(f"building {image.service} failed", f"fix it in {dockerfile} or what it copies", last) from error


def build_argv(image: Image, ca_image: str, *, buildkit: bool, release: str) -> list[str]:
    """Return the command that builds an image, for BuildKit or for the classic builder; proxies are named, their values are not."""
    arguments = {"BASE_IMAGE": image.base.build, "CA_IMAGE": ca_image}
    if image.base.runtime != image.base.build:
        arguments["RUNTIME_IMAGE"] = image.base.runtime
    declared = image.dockerfile.read_text(encoding="utf-8")
    # The classic builder otherwise leaves the container of a step that failed.
    argv = ["docker", "build", "--force-rm", "--file", str(image.dockerfile), "--tag", image.reference]
    argv += [
        "--label",
        f"app.kubernetes.io/part-of={release}",
        "--label",
        f"app.kubernetes.io/component={image.service}",
    ]
    argv += [part for key, value in arguments.items() if f"ARG {key}" in declared for part in ("--build-arg", f"{key}={value}")]
    argv += [part for key in PROXIES if os.environ.get(key) for part in ("--build-arg", key)]
    if buildkit:  # attestations make an image that older loaders cannot read
        argv += ["--progress", "plain", "--provenance=false", "--load", "--platform", build_platform()]
    return [*argv, str(image.context)]


def has_buildkit() -> bool:
    """Return whether the docker client can build with BuildKit."""
    return shell.run(["docker", "buildx", "version"], timeout=20, ok=None).code == 0


def extra_ca_image(settings: Settings) -> str:
    """Return an image that holds the extra certificates for builds as `/ca.pem`, or the empty one.

    A build copies from it in its first stages only, so nothing of it stays in what runs. Raises InputError.
    """
    content = extra_ca(settings.build.extra_ca)
    if not content:
        return "scratch"
    reference = f"{settings.project}-extra-ca:h{hashlib.sha256(content).hexdigest()[:HEX_DIGITS]}"
    repository, _, tag = reference.partition(":")
    if not docker_client().images.list(name=reference):
        docker_client().api.import_image_from_data(_tar({"ca.pem": content}), repository=repository, tag=tag)
    return reference


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def check_user(image: Image) -> None:
    """Verify on the image itself that it runs as our numeric user, whatever its Dockerfile promises. Raises TaskError."""
    user = str(_attributes(image)["Config"].get("User", ""))
    if user != f"{UID}:{UID}":
        dockerfile = Path(image.dockerfile).relative_to(ROOT)
        raise TaskError(
            f"{image.reference} runs as `{user or 'root'}`, not as {UID}:{UID}",
            f"end {dockerfile} with USER {UID}:{UID}",
        )


def size_mb(image: Image) -> float:
    """Return the size of an image in megabytes (10^6 bytes), as Docker counts it."""
    return float(_attributes(image)["Size"]) / 1e6


def _attributes(image: Image) -> dict[str, Any]:
    try:
        found: dict[str, Any] = docker_client().images.get(image.reference).attrs
    except ImageNotFound:
        raise TaskError(f"{image.reference} was built, and somebody has removed it since", "run it again") from None
    return found

"""The project's images and their tags. A tag is `h` and 12 hex digits of everything that goes into the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts.config.env_file import EnvFile
from scripts.config.service_problems import DATABASE
from scripts.config.services import Source, shown
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.desired import dockerfile
from scripts.desired.build_context import content_hash
from scripts.desired.secrets import uses_bundled_database
from scripts.desired.service_values import build_arguments

EXPORTER = "postgres-exporter"


@dataclass(frozen=True)
class BaseImage:
    """What an image is built on, as the engine has it: the names of a base of ours, and the ids that stand for the content."""

    build: str
    runtime: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Image:
    """An image of ours."""

    service: str
    repository: str
    tag: str
    context: Path
    dockerfile: Path
    base: BaseImage
    platform: str = ""
    """As Docker names it: `linux/amd64`."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Build arguments of its own."""
    target: str = ""
    """The stage to build; empty: the last one."""

    @property
    def reference(self) -> str:
        """`repository:tag`, as Docker and the chart write it."""
        return f"{self.repository}:{self.tag}"


def sources(settings: Settings, env: EnvFile, *, monitored: bool) -> dict[str, Source]:
    """Return what images are made of, by name. monitored: whether Prometheus will run beside the app."""
    made: dict[str, Source] = dict(settings.services)
    if settings.database and uses_bundled_database(settings, env):
        made[DATABASE] = settings.database
        if monitored:
            made[EXPORTER] = settings.database.exporter
    return made


def built_on(settings: Settings, source: Source) -> dockerfile.Dockerfile:
    """Return what the Dockerfile of a source names that is not under `base_images`. Raises InputError where it cannot be read."""
    try:
        text = source.file().read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            f"{shown(source.file())} cannot be read: {error.strerror}", "fix `dockerfile` in invoke.yaml", code="build-context-invalid"
        ) from None
    return dockerfile.read(text, build_arguments(settings, source.arguments()), source.target or "")


def desired_image(settings: Settings, name: str, source: Source, base: BaseImage, platform: str) -> Image:
    """Return the image that `source` makes on `base` for a platform (as Docker names it: `linux/amd64`). Raises InputError."""
    arguments = build_arguments(settings, source.arguments())
    repository = f"{settings.project}-{name}"
    image = Image(name, repository, "", source.folder(), source.file(), base, platform, arguments, source.target or "")
    return replace(image, tag=image_tag(image))


def image_tag(image: Image) -> str:
    """Return the tag of an image that is made of its context and Dockerfile as they are now. Raises InputError."""
    inputs = {"platform": image.platform, "base": " ".join(image.base.ids)}
    inputs |= {f"argument {key}": value for key, value in image.arguments.items()}
    if image.target:
        inputs["target"] = image.target
    return f"h{content_hash(image.context, image.dockerfile, inputs)}"

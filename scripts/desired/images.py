"""The project's images and their tags. A tag is `h` and 12 hex digits of everything that goes into the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings, Source
from scripts.core.paths import ROOT
from scripts.desired.build_context import content_hash
from scripts.desired.secrets import uses_own_database

DATABASE, EXPORTER = "postgres", "postgres-exporter"
UID = 10001  # above 10000, so that it meets no user of the host; the chart and the Dockerfiles use the same


@dataclass(frozen=True)
class BaseImage:
    """A base image that is in the engine: what FROM names, and the ids that stand for its content."""

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

    @property
    def reference(self) -> str:
        """`repository:tag`, as Docker and the chart write it."""
        return f"{self.repository}:{self.tag}"


def sources(settings: Settings, env: EnvFile, *, monitored: bool) -> dict[str, Source]:
    """Return what images are made of, by name. monitored: whether Prometheus will run beside the app."""
    made: dict[str, Source] = dict(settings.services)
    if uses_own_database(settings, env):
        made[DATABASE] = settings.database
        if monitored:
            made[EXPORTER] = settings.database.exporter
    return made


def desired_image(project: str, name: str, source: Source, base: BaseImage, platform: str) -> Image:
    """Return the image that `source` makes on `base` for a platform (as Docker names it: `linux/amd64`). Raises InputError."""
    image = Image(name, f"{project}-{name}", "", ROOT / source.context, ROOT / source.dockerfile, base, platform)
    return replace(image, tag=image_tag(image))


def image_tag(image: Image) -> str:
    """Return the tag of an image that is made of its context and Dockerfile as they are now. Raises InputError."""
    inputs = {"platform": image.platform, "base": " ".join(image.base.ids)}
    return f"h{content_hash(image.context, image.dockerfile, inputs)}"

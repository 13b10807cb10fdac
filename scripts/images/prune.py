"""Removes images of ours that nothing needs any more from the local Docker engine."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from docker.errors import APIError, ImageNotFound

from scripts.config.service_problems import DATABASE
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.hashes import TAG
from scripts.desired.images import EXPORTER, Image
from scripts.desired.labels import COMPONENT, PART_OF, pairs
from scripts.images.base_recipes import packages_reference
from scripts.images.build_network import EXTRA_CA, extra_ca_reference
from scripts.machine.docker_client import docker_client


@dataclass(frozen=True)
class Superfluous:
    """One thing of ours that nothing needs any more."""

    where: str
    what: str
    remove: Callable[[], object]
    """Removes it, unless somebody uses it by now."""


@dataclass(frozen=True)
class Use:
    """What a release uses of its images, each by `repository:tag` or by its digest, with or without a registry."""

    kept: frozenset[str] = frozenset()
    """What runs, and what a rollback would bring back."""
    named: frozenset[str] | None = None
    """What any of its revisions names: others may be of another checkout's release. None: take no notice of that."""
    one_before: bool = False
    """Whether each service keeps its newest other image: where no revision is kept, `git checkout` goes back to it."""


HERE = "this machine"


def superfluous(settings: Settings, images: Sequence[Image], use: Use) -> list[Superfluous]:
    """Return old images of this release, and bases and certificates that no image of this project is built on.

    images: those of the sources now. Only what carries the release's label counts, with the names that it has in registries, and nothing
    that a container uses.
    """
    found = docker_client().images.list(filters={"reference": f"{settings.project}-*"})
    label = {PART_OF: settings.release}
    ours = {tag: image for image in found if label.items() <= (image.labels or {}).items() for tag in image.tags}
    kept = _named(ours, use.kept) | {*(image.reference for image in images), *_helpers(settings, images)}
    if use.one_before:
        kept |= _newest_others({tag: ours[tag] for tag in ours if _is_old_service(settings, images, tag)}, images)
    named = ours.keys() if use.named is None else _named(ours, use.named)
    used = {container.attrs["ImageID"] for container in docker_client().containers.list(all=True, sparse=True)}
    unused = [tag for tag in sorted(ours.keys() - kept) if ours[tag].id not in used]
    old = [tag for tag in unused if tag in named and _is_old_service(settings, images, tag)]
    names = [name for tag in old for name in (*_in_registries(ours[tag], tag), tag)]
    built = [_layers(image) for image in found if any(not _is_helper(settings, tag) for tag in set(image.tags).difference(names))]
    names += [tag for tag in unused if _is_helper(settings, tag) and not _carries(built, _layers(ours[tag]))]
    # Services' own alone: a stage has the labels of the base that it is built on, and is what the next build begins from.
    filters = {"label": [*pairs(label), COMPONENT], "dangling": True}
    nameless = [str(image.id) for image in docker_client().images.list(filters=filters) if image.id not in used]
    return [Superfluous(HERE, name, partial(_remove, name)) for name in (*names, *nameless)]


def _newest_others(ours: Mapping[str, Any], images: Sequence[Image]) -> set[str]:
    """The newest tag of each service beside that of the sources now."""
    found: dict[str, str] = {}
    for tag in sorted(ours.keys() - {image.reference for image in images}, key=lambda tag: str(ours[tag].attrs["Created"])):
        found[tag.partition(":")[0]] = tag
    return {found[image.repository] for image in images if image.repository in found}


def _named(ours: Mapping[str, Any], references: Collection[str]) -> set[str]:
    """The tags that these references mean."""
    tags = {reference.rpartition("/")[2] for reference in references}
    return tags | {tag for tag, image in ours.items() if not _digests(image).isdisjoint(references)}


def unique_sizes() -> dict[str, int]:
    """Return the bytes of each local image that no other shares, by its names and its id; none where the daemon does not tell."""
    found = docker_client().df().get("Images") or ()
    sizes = {image["Id"]: (image["Size"] - max(image.get("SharedSize", 0), 0), image.get("RepoTags") or ()) for image in found}
    return {name: size for identity, (size, tags) in sizes.items() for name in (identity, *tags)}


def build_containers(settings: Settings) -> list[Any]:
    """Return the containers that interrupted builds of this release have left stopped."""
    found = docker_client().containers.list(all=True, filters={"label": f"{PART_OF}={settings.release}"})
    return [each for each in found if each.status in ("created", "exited", "dead") and "todo.workload" not in each.labels]


def remove_build_containers(settings: Settings) -> int:
    """Remove the containers that interrupted builds of this release have left stopped; return how many."""
    left = build_containers(settings)
    for container in left:
        with contextlib.suppress(APIError):  # somebody was faster
            container.remove(v=True)
    return len(left)


def kept_images(settings: Settings) -> int:
    """Return how many images of this release the local engine has."""
    return len(docker_client().images.list(filters={"label": f"{PART_OF}={settings.release}"}))


def _helpers(settings: Settings, images: Sequence[Image]) -> set[str]:
    """What builds are made with now: bases, also of what is switched off for this run, and the extra certificates."""
    bases = {
        packages_reference(settings.project, name, base, runtime=r) for name, base in settings.base_images.items() for r in (True, False)
    }
    bases |= {reference for image in images for reference in (image.base.build, image.base.runtime)}
    try:
        return {*bases, extra_ca_reference(settings)}
    except InputError:  # what is wrong with the certificates, builds tell
        return bases


def _is_helper(settings: Settings, tag: str) -> bool:
    return re.fullmatch(rf"{re.escape(settings.project)}-(base-.+|{EXTRA_CA}):h[0-9a-f]{{{TAG}}}", tag) is not None


def _is_old_service(settings: Settings, images: Sequence[Image], tag: str) -> bool:
    """Whether the tag is of a service in the settings, or of one that is no longer there."""
    match = re.fullmatch(rf"({re.escape(settings.project)}-(.+)):h[0-9a-f]{{{TAG}}}", tag)
    if not match or _is_helper(settings, tag):
        return False
    return match[1] in {image.repository for image in images} or match[2] not in {*settings.services, DATABASE, EXPORTER}


def _in_registries(image: Any, tag: str) -> list[str]:
    return [name for name in image.tags if name.endswith(f"/{tag}")]


def _digests(image: Any) -> set[str]:
    """The names by digest of an image that was pushed."""
    return set(image.attrs.get("RepoDigests") or ())


def _layers(image: Any) -> list[str]:
    return list(image.attrs.get("RootFS", {}).get("Layers") or ())


def _carries(built: Sequence[Sequence[str]], layers: Sequence[str]) -> bool:
    return any(list(each[: len(layers)]) == list(layers) for each in built)


def _remove(reference: str) -> bool:
    try:
        docker_client().images.remove(reference)
    except (APIError, ImageNotFound):  # a container uses it, or somebody was faster
        return False
    return True

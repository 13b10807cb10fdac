"""The user that an image runs as, by number: Kubernetes takes no names, and runs nothing as root here."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound

from scripts.config.service_problems import DATABASE
from scripts.config.services import shown
from scripts.core.errors import TaskError
from scripts.core.paths import CACHE
from scripts.desired.images import EXPORTER, Image
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told

USERS = CACHE / "users"
"""What was read of images with a named user, by the image's id: reading takes a container, which is made and never started."""


def built(image: Image) -> Any:
    """Return what the engine has of an image that was built. Raises TaskError where it is gone again."""
    try:
        return docker_client().images.get(image.reference)
    except ImageNotFound:
        raise TaskError(f"{image.reference} was built, and has been removed since", "run it again", code="image-missing") from None


def user_of(image: Image) -> tuple[int, int]:
    """Return user and group of a built image. Raises TaskError where it runs as root, with the line to add."""
    with told(f"{image.reference} cannot be looked at"):
        found = built(image)
        named = str(found.attrs["Config"].get("User") or "root")
        user, _, group = named.partition(":")
        numbers = (int(user), int(group)) if user.isdigit() and group.isdigit() else _looked_up(str(found.id), user, group)
    if numbers is None:
        unknown = f"{image.reference} runs as `{named}`, which its /etc/passwd and /etc/group do not know"
        raise TaskError(unknown, _way_out(image), code="image-user-wrong")
    if numbers[0] == 0:
        raise TaskError(f"{image.reference} runs as root", _way_out(image), code="image-user-wrong")
    return numbers


def supposed_users(images: Sequence[Image]) -> dict[str, tuple[int, int]]:
    """Return user and group of images that need not be built yet: then those of the newest one of that name, where there is one."""
    if not images:
        return {}
    with told("the images cannot be listed"):
        listed: Any = docker_client().api.images()
    there = {tag: each["Created"] for each in listed for tag in each["RepoTags"] or ()}
    found = {}
    for image in images:
        tags = [tag for tag in there if tag.rpartition(":")[0] == image.repository]
        if tags:
            newest = image.reference if image.reference in tags else max(tags, key=there.__getitem__)
            found[image.service] = user_of(replace(image, tag=newest.rpartition(":")[2]))
    return found


def _way_out(image: Image) -> str:
    dockerfile = f"end {shown(image.dockerfile)} with a line like USER 10001:10001"
    if image.service in (DATABASE, EXPORTER):
        return dockerfile
    return f"add `user: 10001` to services.{image.service} in invoke.yaml, or {dockerfile}"


def _looked_up(image_id: str, user: str, group: str) -> tuple[int, int] | None:
    """Return the numbers of a name, by the image's own files; None where they do not know it."""
    cached = USERS / f"{image_id.rpartition(':')[2]}.json"
    if cached.is_file():
        read: dict[str, str] = json.loads(cached.read_text(encoding="utf-8"))
    else:
        read = _files(image_id)
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(json.dumps(read), encoding="utf-8")
    users = [line.split(":") for line in read["passwd"].splitlines() if line.count(":") >= 3]
    groups = [line.split(":") for line in read["group"].splitlines() if line.count(":") >= 2]
    users.append(["root", "", "0", "0"])  # also where an image has no /etc/passwd
    own = next((entry for entry in users if user in (entry[0], entry[2])), None)
    number = own[2] if own else user
    wanted = next((entry[2] for entry in groups if group == entry[0]), group) or (own[3] if own else number)
    return (int(number), int(wanted)) if number.isdigit() and wanted.isdigit() else None


def _files(image_id: str) -> dict[str, str]:
    api: Any = docker_client().api
    container = api.create_container(image_id, command=["none"])["Id"]
    try:
        return {name: _file(api, container, f"/etc/{name}") for name in ("passwd", "group")}
    finally:
        api.remove_container(container, v=True)


def _file(api: Any, container: str, path: str) -> str:
    try:
        pieces, _ = api.get_archive(container, path)
    except (NotFound, APIError):
        return ""
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as archive:
        member = archive.next()
        content = archive.extractfile(member) if member and member.isfile() else None
        return content.read().decode("utf-8", "replace") if content else ""

"""Private copies of build contexts: what is hashed is what is built, however often the sources change while a build runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from scripts.core.errors import InputError
from scripts.core.paths import CACHE
from scripts.desired.build_context import Entry, dockerfile_text, entries
from scripts.desired.images import Image, image_tag

FOLDER = CACHE / "build"  # in the checkout: a Docker client from a snap sees no /tmp


@contextmanager
def snapshots(images: Sequence[Image]) -> Iterator[list[Image]]:
    """Yield each image with a copy of its sources as they are now, and the tag of that copy; the copies go with the block.

    Raises InputError where something cannot be read or copied.
    """
    shutil.rmtree(FOLDER, ignore_errors=True)  # what a killed run left
    try:
        yield [_snapshot(image, FOLDER / image.service) for image in images]
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


def _snapshot(image: Image, folder: Path) -> Image:
    context, dockerfile = folder / "context", folder / "Dockerfile"
    try:
        context.mkdir(parents=True)
        dockerfile.write_bytes(dockerfile_text(image.dockerfile))
        for entry in entries(image.context, image.dockerfile):
            _copy(image.context, context, entry)
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be copied for the build: {error.strerror}",
            "free disk space, or fix its permissions",
            code="build-context-invalid",
        ) from None
    copied = replace(image, context=context, dockerfile=dockerfile)
    return replace(copied, tag=image_tag(copied))


def _copy(source: Path, target: Path, entry: Entry) -> None:
    """Copy one path, with modes that do not depend on the umask which the checkout was made under."""
    old, new = source / entry.relative, target / entry.relative
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        if entry.kind == "folder":
            new.mkdir(exist_ok=True)
            new.chmod(0o755)
        elif entry.kind == "link":
            new.symlink_to(old.readlink())
        else:
            shutil.copyfile(old, new)
            new.chmod(0o755 if entry.executable else 0o644)
            times = old.stat()
            os.utime(new, ns=(times.st_atime_ns, times.st_mtime_ns))
    except FileNotFoundError:
        return  # an editor's, gone since we looked

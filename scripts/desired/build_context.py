"""What goes into an image from the sources: the files of its build context, and the hash over them that is the image's tag."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.core.errors import InputError
from scripts.core.hashes import TAG
from scripts.desired import dockerignore


@dataclass(frozen=True)
class Entry:
    """A path of a build context."""

    relative: str
    kind: str
    """`file`, `link` or `folder`."""
    executable: bool = False


def entries(context: Path, dockerfile: Path, below: str = "") -> list[Entry]:
    """Return what Docker would take of a context, or of a folder below it, in the order of the paths' bytes. Raises InputError.

    Sockets, pipes and devices are not taken, and what disappears while we look has not been there.
    """
    ignore = dockerignore.find(context, dockerfile)
    try:
        return sorted(_walk(context, below, ignore), key=lambda entry: os.fsencode(entry.relative))
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> InputError:
    return InputError(
        f"{error.filename} cannot be read: {error.strerror}",
        "make it readable for your user, or name it in .dockerignore",
        code="build-context-invalid",
    )


def _walk(context: Path, folder: str, ignore: dockerignore.Dockerignore) -> Iterator[Entry]:
    try:
        found = sorted(os.scandir(context / folder), key=lambda item: item.name)
    except FileNotFoundError:
        if folder:
            return
        raise
    for item in found:
        relative = f"{folder}/{item.name}" if folder else item.name
        left_out = relative == ".dockerignore" or ignore.leaves_out(relative)
        if item.is_symlink():
            kind = "link"
        elif item.is_dir():
            kind = "folder"
            if not left_out or ignore.may_bring_back_below(relative):
                yield from _walk(context, relative, ignore)
        elif item.is_file():
            kind = "file"
        else:
            continue
        if not left_out:
            _refuse_what_no_builder_takes(relative)
            with contextlib.suppress(FileNotFoundError):
                yield Entry(relative, kind, kind == "file" and bool(item.stat().st_mode & stat.S_IXUSR))


def _refuse_what_no_builder_takes(relative: str) -> None:
    """Raise InputError for a name that is not UTF-8: BuildKit would end with a message of its transport that names no file."""
    if not relative.isascii() and relative != relative.encode(errors="replace").decode():
        shown = os.fsencode(relative).decode(errors="backslashreplace")
        raise InputError(
            f"the name of `{shown}` is not UTF-8, and Docker cannot build with it",
            "rename it, or name it in .dockerignore",
            code="build-context-invalid",
        )


def content_hash(context: Path, dockerfile: Path, inputs: Mapping[str, str]) -> str:
    """Return 12 hex digits over a build: Dockerfile, context as its `.dockerignore` leaves it, and named inputs.

    Path, kind, executable bit and bytes of every file count; times, owners and the order of the disk do not. Raises InputError.
    """
    digest = hashlib.sha256()

    def add(*parts: bytes) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)

    try:
        for key, value in sorted(inputs.items()):
            add(b"input", key.encode(), value.encode())
        add(b"dockerfile", dockerfile_text(dockerfile))
        for entry in entries(context, dockerfile):
            add(*_identity(context, entry))
    except OSError as error:
        raise _unreadable(error) from None
    return digest.hexdigest()[:TAG]


def dockerfile_text(dockerfile: Path) -> bytes:
    """Return a Dockerfile with the line ends that every builder reads, whatever the checkout has."""
    return dockerfile.read_bytes().replace(b"\r\n", b"\n")


def _identity(context: Path, entry: Entry) -> tuple[bytes, ...]:
    path, name = context / entry.relative, os.fsencode(entry.relative)
    try:
        if entry.kind == "file":
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            return b"file", name, b"x" if entry.executable else b"-", content
        target = os.fsencode(path.readlink()) if entry.kind == "link" else b""
    except FileNotFoundError:
        return ()
    return entry.kind.encode(), name, target

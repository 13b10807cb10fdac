"""Reads a small text file whatever it is: a file, a named pipe that a password manager serves, or something that cannot be read."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from scripts.core.errors import InputError
from scripts.core.waiting import OverdueError, until

LARGEST = 8 * 2**20
"""Bytes; what is larger is no file that a person wrote."""
PIPE_SECONDS = 60.0
"""A password manager may first ask its person."""
PAUSE = 0.05


def read_text(path: Path, missing: InputError) -> str:
    """Return the text of `path`, without a byte order mark. Raises `missing` where there is no such file, InputError otherwise."""
    try:
        raw = _read(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise InputError(
                f"{path.name} is a link to {path.readlink()}, which does not exist",
                f"make that file, or remove the link: rm {path.name}",
                code="file-unreadable",
            ) from None
        raise missing from None
    except PermissionError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}{_owner(path)}", _permit(path), code="file-unreadable") from None
    except OSError as error:
        raise InputError(
            f"{path.name} cannot be read: {error.strerror}", f"put a text file in its place: {path}", code="file-unreadable"
        ) from None
    if len(raw) > LARGEST:
        raise InputError(
            f"{path.name} is larger than {LARGEST // 2**20} MiB", f"put a text file in its place: {path}", code="file-unreadable"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start})", "save it as UTF-8", code="file-unreadable") from None


def text_if_any(path: Path) -> str:
    """Return the text of `path`; an empty one where there is no such file, or it cannot be read."""
    try:
        return read_text(path, InputError("")) if path.is_file() else ""
    except (InputError, OSError, ValueError):
        return ""


def _read(path: Path) -> bytes:
    # Not to wait forever where a pipe has no writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return _read_pipe(path, descriptor)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST + 1)
    finally:
        os.close(descriptor)


def _read_pipe(path: Path, descriptor: int) -> bytes:
    """Read what a pipe's writer writes, from its first byte until it closes the pipe."""
    read = bytearray()

    def is_closed() -> bool:
        with contextlib.suppress(BlockingIOError):  # there is a writer, and it has not written yet
            while piece := os.read(descriptor, 65536):
                read.extend(piece)
                if len(read) > LARGEST:
                    return True
            return bool(read)
        return False

    try:
        until(is_closed, seconds=PIPE_SECONDS, pause=PAUSE, what=f"{path.name} to be written")
    except OverdueError:
        raise InputError(
            f"{path.name} is a named pipe, and what writes into it did not do so within {PIPE_SECONDS:.0f} s",
            "unlock the password manager that serves it, or put a file in its place",
            code="file-unreadable",
        ) from None
    return bytes(read)


def _owner(path: Path) -> str:
    try:
        owner = path.stat().st_uid
    except OSError:
        return ""
    return "" if owner == os.geteuid() else f" (it belongs to {'root' if owner == 0 else f'user {owner}'}, not to you)"


def _permit(path: Path) -> str:
    return f'sudo chown "$(id -un)" {path.name}' if _owner(path) else f"chmod 600 {path.name}"

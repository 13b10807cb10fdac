"""What a machine refuses to any program, files above all, as errors that a person understands: none of these is a defect of ours."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from scripts.core.errors import InputError, TaskError
from scripts.core.paths import CACHE, ROOT, STATE, TOOLS

ACTIONS = {
    errno.ENOSPC: "free disk space there (`df -h`; `docker system df` shows Docker's share)",
    errno.EDQUOT: "free space of your quota there",
    errno.EROFS: "use a checkout in a folder that can be written to",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    errno.ENFILE: "end programs that you do not need: the system has no more open files to give",
    errno.ENOMEM: "end programs that you do not need: there is no memory left",
    errno.EAGAIN: "end programs that you do not need, or raise the limit of processes: ulimit -u",
    errno.ENAMETOOLONG: "use a checkout in a folder with a shorter path",
    errno.EIO: "see whether the disk is well (`dmesg`)",
    errno.ESTALE: "see whether the network's file system is still mounted",
}
OWNER = (errno.EACCES, errno.EPERM)


def trouble_of(error: OSError) -> TaskError | None:
    """Return an error of the machine as one of ours; None for what a machine does not do by itself."""
    where = str(error.filename or "")
    if error.errno in OWNER and where:
        return TaskError(f"{where}: {error.strerror}", _how_to_own(Path(where)))
    if error.errno in ACTIONS:
        return TaskError(": ".join(filter(None, (where, str(error.strerror)))), ACTIONS[error.errno])
    return None


def refuse_what_is_anothers() -> None:
    """Raise InputError where what an earlier run has left here cannot be written to: it ran as somebody else, such as root by sudo."""
    folders = [folder for folder in (STATE, CACHE, TOOLS.parent, TOOLS) if folder.is_dir()]
    anothers = [path for folder in folders for path in (folder, *sorted(folder.iterdir())) if not _ours(path)]
    if anothers:
        names = sorted({path.relative_to(ROOT).parts[0] for path in anothers})
        one = f"{anothers[0].relative_to(ROOT)} cannot be written to"
        raise InputError(f"{one}: it belongs to {_owner(anothers[0])}, not to you", f'sudo chown -R "$(id -un)" {" ".join(names)}')


def _ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # a run beside this one has taken it away since it was listed
        return True
    return found.st_uid == os.geteuid() or stat.S_ISLNK(found.st_mode) or os.access(path, os.W_OK)


def _how_to_own(path: Path) -> str:
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    return f"see who owns it: ls -ld {there}"


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return "somebody else"

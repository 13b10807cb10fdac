"""Where an image's sources come from, for its labels: the commit, whether anything was changed since, and the repository.

Labels are added when an image is built and take no part in its tag: the same content is the same image, whichever commit it was built at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from scripts.core import shell
from scripts.core.errors import TaskError

REVISION, SOURCE = "org.opencontainers.image.revision", "org.opencontainers.image.source"
DIRTY = "-dirty"
SECONDS = 20


def labels(context: Path, dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Yield the labels of an image of these sources; none where they are in no git repository, or git is not there."""
    revision = _git(context, "rev-parse", "HEAD")
    if not revision:
        return
    changed = [_git(path.parent, "status", "--porcelain", "--", path.name) for path in (context, dockerfile)]
    yield REVISION, revision + (DIRTY if any(changed) else "")
    if source := address(_git(context, "remote", "get-url", "origin")):
        yield SOURCE, source


def address(remote: str) -> str:
    """Return a repository's address without user, password or token; empty for a folder of this machine.

    >>> address("https://me:token@git.example.com/team/app.git")
    'https://git.example.com/team/app.git'
    >>> address("git@git.example.com:team/app.git")
    'ssh://git.example.com/team/app.git'
    """
    scp_like = "://" not in remote and ":" in remote and not remote.startswith("/") and "\\" not in remote
    parts = urlsplit(f"ssh://{remote.replace(':', '/', 1)}" if scp_like else remote)
    if parts.scheme not in ("https", "http", "ssh", "git") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"


def _git(folder: Path, *argv: str) -> str:
    try:
        return shell.run(["git", "-C", str(folder), *argv], timeout=SECONDS).stdout.strip()
    except TaskError:
        return ""

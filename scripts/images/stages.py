"""Images of build stages that a later build has replaced.

The classic builder leaves each stage's last image untagged: that is its cache, which the next build begins from. One that was replaced
serves nobody, and no program collects it. BuildKit keeps its cache elsewhere, and clears it away itself.
"""

from __future__ import annotations

import contextlib
import re

from docker.errors import APIError, ImageNotFound

from scripts.core.paths import STATE
from scripts.machine.docker_client import docker_client

FOLDER = STATE / "build-stages"
_IMAGE = re.compile(r" ---> ([0-9a-f]{12})")
_FROM = re.compile(r"Step \d+/\d+ : FROM .*", re.IGNORECASE)


class Stages:
    """Takes a build's lines as they come; knows the last image of each stage but the last, which gets the tag."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._newest = ""

    def take(self, line: str) -> None:
        """Read a line."""
        if match := _IMAGE.fullmatch(line.rstrip()):
            self._newest = match[1]
        elif _FROM.fullmatch(line.rstrip()) and self._newest:
            self.ids.append(self._newest)


def replace(repository: str, ids: list[str]) -> None:
    """Note the stages of an image that was built, and remove those of its build before that it does not share."""
    note = FOLDER / repository
    before = note.read_text(encoding="utf-8").split() if note.is_file() else []
    FOLDER.mkdir(parents=True, exist_ok=True)
    note.write_text("\n".join(ids), encoding="utf-8")
    for image in set(before) - set(ids):
        with contextlib.suppress(APIError, ImageNotFound):  # another image is built on it, or somebody was faster
            if not docker_client().images.get(image).tags:  # a stage of nothing but FROM is its base
                docker_client().images.remove(image)

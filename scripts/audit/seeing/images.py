"""Images as the Docker daemon has them: configuration, history and every layer."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Collection, Iterator
from functools import partial
from itertools import chain
from typing import IO, Any, cast

from docker.errors import ImageNotFound

from scripts.audit.checks.images import OF_IMAGES
from scripts.audit.facts import ImageFacts
from scripts.audit.seeing.seeker import CHUNK, Seeker
from scripts.machine.docker_client import docker_client
from scripts.machine.docker_errors import told

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Images:
    """The images that were read, and the blobs that were searched: images share layers."""

    def __init__(self, seeker: Seeker | None) -> None:
        """Take what looks for values; without one, no layer is read."""
        self._seeker = seeker
        self._searched: set[str] = set()
        self.not_searched: list[str] = []

    def read(self, references: Collection[str]) -> list[ImageFacts]:
        """Return what the daemon has of these images. Raises TaskError when it refuses."""
        return [found for reference in references if (found := self._read(reference))]

    def _read(self, reference: str) -> ImageFacts | None:
        with told(f"{reference} cannot be looked into"):
            try:
                image: Any = docker_client().images.get(reference)
            except ImageNotFound:
                self.not_searched.append(f"{OF_IMAGES}{reference}, which Docker does not have")
                return None
            layers = len(image.attrs.get("RootFS", {}).get("Layers") or ())
            if self._seeker:
                self._seeker.seek(f"{OF_IMAGES}{reference} (configuration)", json.dumps(image.attrs))
                self._seeker.seek(f"{OF_IMAGES}{reference} (history)", json.dumps(image.history()))
                self._search(reference, image.save())
        names = [each.partition("=")[0] for each in image.attrs["Config"].get("Env") or ()]
        return ImageFacts(reference, tuple(names), layers)

    def _search(self, reference: str, chunks: Iterator[bytes]) -> None:
        """Look for values in all that `docker save` writes, each blob once."""
        with tarfile.open(fileobj=cast("IO[bytes]", Stream(chunks)), mode="r|") as saved:
            for member in saved:
                blob = saved.extractfile(member) if member.isfile() and member.name not in self._searched else None
                if blob:
                    self._search_blob(f"{OF_IMAGES}{reference} (layers)", member.name, blob)
                    if "sha256" in member.name:
                        self._searched.add(member.name)

    def _search_blob(self, place: str, name: str, blob: IO[bytes]) -> None:
        start = blob.read(4)
        whole = cast("IO[bytes]", Stream(chain([start], iter(partial(blob.read, CHUNK), b""))))
        if start.startswith(ZSTD):
            self.not_searched.append(f"{place}: {name} is compressed with zstd")
        elif self._seeker:
            self._seeker.seek_in(place, cast("IO[bytes]", gzip.GzipFile(fileobj=whole)) if start.startswith(GZIP) else whole)


class Stream:
    """Chunks that come one after the other, as a file that is read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes, fewer only at the end."""
        parts, missing = [], size
        while missing:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    break
            part, self._rest = (self._rest, b"") if missing < 0 else (self._rest[:missing], self._rest[missing:])
            parts.append(part)
            missing -= len(part) if missing > 0 else 0
        return b"".join(parts)

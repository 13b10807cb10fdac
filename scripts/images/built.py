"""The images of a run, handed on as each build ends: one step tells, another takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from scripts.core.pipeline import NeedFailedError
from scripts.core.report import StepReport
from scripts.desired.images import Image


class Built:
    """The images that are there by now. Its two sides are in two threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._told: set[str] = set()
        self._queue: SimpleQueue[Image | BaseException | None] = SimpleQueue()

    def tell(self, images: Iterable[Image]) -> None:
        """Hand on images that the local engine has, each once."""
        for image in images:
            if image.reference not in self._told:
                self._told.add(image.reference)
                self._queue.put(image)

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """Tell at the end of the block that there will be no more, or that the builds failed."""
        try:
            yield
        except BaseException as error:
            self._queue.put(error)
            raise
        self._queue.put(None)

    def batches(self, needed: str, step: StepReport) -> Iterator[list[Image]]:
        """Yield what has come since the last batch, until there will be no more.

        needed: the step that tells; the other one, `step`, waits for it. Raises NeedFailedError where it fails.
        """
        while True:
            with step.waiting("waiting for the builds"):
                told = [self._queue.get()]
            while not self._queue.empty():
                told.append(self._queue.get())
            if any(isinstance(each, BaseException) for each in told):
                raise NeedFailedError(needed)
            if images := [each for each in told if isinstance(each, Image)]:
                yield images
            if None in told:
                return

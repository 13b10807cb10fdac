"""What of a build's output a person needs when it fails: the lines of the step that failed, and not BuildKit's frame around them."""

from __future__ import annotations

import re
from collections import defaultdict, deque

SHOWN_LINES = 20
_STEP_LINE = re.compile(r"#(?P<step>\d+) (?P<text>.*)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_OWN_OUTPUT = re.compile(r"\d+\.\d+ ?(?P<text>.*)")


class BuildOutput:
    """Takes a build's lines as they come. BuildKit runs steps side by side, and marks each line with its step's number."""

    def __init__(self) -> None:
        self._last: deque[str] = deque(maxlen=SHOWN_LINES)
        self._of_step: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=SHOWN_LINES))
        self._failed = ""
        self._reason = ""

    def take(self, line: str) -> None:
        """Add a line."""
        line = _COLOUR.sub("", line)
        self._last.append(line)
        marked = _STEP_LINE.fullmatch(line)
        if not marked:
            return
        step, text = marked["step"], marked["text"]
        if text.startswith("ERROR") and not self._failed:
            self._failed, self._reason = step, text
        elif own := _OWN_OUTPUT.fullmatch(text):
            self._of_step[step].append(own["text"])

    def shown(self) -> list[str]:
        """Return the last lines that the step that failed wrote itself; without such a step, the last lines of all."""
        own = [line for line in self._of_step.get(self._failed, ()) if line.strip()]
        if own:
            return own
        return [self._reason, *self._last][-SHOWN_LINES:] if self._reason else list(self._last)

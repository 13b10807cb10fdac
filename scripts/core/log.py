"""The full story of the last run that may change something, redacted, in `.state/last-run.log`: every command, its output, code and time.

What only looks keeps no story, so that it does not write over that one; a defect in it goes to `.state/last-defect.log`.
"""

from __future__ import annotations

import contextlib
import logging
import traceback

from scripts.core.paths import ROOT, STATE
from scripts.core.redaction import redact

PATH = STATE / "last-run.log"
DEFECT = STATE / "last-defect.log"
_logger = logging.getLogger("scripts")


def debug(text: str) -> None:
    """Write one line of detail to the log."""
    _logger.debug("%s", redact(text))


def exception(error: BaseException) -> None:
    """Write a traceback to where `shown_path` says: the only place where one goes."""
    story = "".join(traceback.format_exception(error))
    if _logger.handlers:
        debug(story)
        return
    with contextlib.suppress(OSError):
        DEFECT.parent.mkdir(exist_ok=True)
        DEFECT.write_text(redact(story), encoding="utf-8")


def shown_path() -> str:
    """Return the path of this run's log as a person would type it."""
    return str((PATH if _logger.handlers else DEFECT).relative_to(ROOT))


def open_log() -> None:
    """Begin the log again for this run; a run that cannot write it goes on without."""
    for old in _logger.handlers:
        _logger.removeHandler(old)
        old.close()
    try:
        PATH.parent.mkdir(exist_ok=True)
        handler = logging.FileHandler(PATH, mode="w", encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(message)s"))
    _logger.addHandler(handler)
    _logger.setLevel(logging.DEBUG)
    _logger.propagate = False

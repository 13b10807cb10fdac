"""The full story of the last run, redacted, in `.state/last-run.log`: every command, its output, its code and its time."""

from __future__ import annotations

import logging
import traceback

from scripts.core.redaction import redact
from scripts.core.settings import ROOT

PATH = ROOT / ".state" / "last-run.log"
_logger = logging.getLogger("scripts")


def debug(text: str) -> None:
    """Write one line of detail to the log."""
    _logger.debug("%s", redact(text))


def exception(error: BaseException) -> None:
    """Write a traceback to the log: the only place where one goes."""
    for line in traceback.format_exception(error):
        debug(line.rstrip())


def shown_path() -> str:
    """Return the log's path as a person would type it."""
    return str(PATH.relative_to(ROOT))


def open_log() -> None:
    """Begin the log anew for this run; a run that cannot write it goes on without."""
    PATH.parent.mkdir(exist_ok=True)
    for old in _logger.handlers:
        _logger.removeHandler(old)
        old.close()
    try:
        handler = logging.FileHandler(PATH, mode="w", encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(message)s"))
    _logger.addHandler(handler)
    _logger.setLevel(logging.DEBUG)
    _logger.propagate = False

"""The steps of `up`, `down` and `smoke`, one a file, each runnable alone (`python -m scripts.build_images`); `up.py` owns the graph."""

import atexit
import gc
import signal
import sys
from pathlib import Path


def _why_not() -> str:
    """Return why this machine cannot run it. All of ours imports this first; it must run on any Python 3."""
    if sys.platform == "win32":
        return "this needs Linux or macOS\n  -> on Windows, run it in WSL 2: wsl --install, and clone the repository there"
    if sys.version_info < (3, 11):  # noqa: UP036 - there are machines with an older one
        version = "{}.{}".format(*sys.version_info[:2])
        return f"Python {version} is too old\n  -> make the virtual environment with Python 3.11 or newer"
    return ""


def _leave(_number: int, _frame: object) -> None:
    """Leave at a Ctrl-C that comes before a command has begun: Invoke would do so with 1, and say nothing."""
    sys.stderr.write("error: interrupted\n")
    sys.exit(130)


if _why_not():
    sys.stderr.write(f"error: {_why_not()}\n")
    sys.exit(3)

# Invoke keeps no bytecode unless it is asked to, and each command would compile some 170 modules again.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
gc.set_threshold(50_000)  # what is imported stays to the end; to look for garbage among it takes an eighth of the loading
atexit.register(gc.freeze)  # and to look through it at the end, before the process goes, takes as much again

if {"invoke", "inv"} & set(Path(sys.argv[0]).parts[-2:]) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _leave)  # loading what follows takes a moment

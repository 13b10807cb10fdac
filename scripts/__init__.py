"""The steps of `up`, `down` and `smoke`, one a file, each runnable alone (`python -m scripts.build_images`); `up.py` owns the graph."""

import sys


def _why_not() -> str:
    """Return why this machine cannot run it. All of ours imports this first; it must run on any Python 3."""
    if sys.platform == "win32":
        return "this needs Linux or macOS\n  -> on Windows, run it in WSL 2: wsl --install, and clone the repository there"
    if sys.version_info < (3, 11):  # noqa: UP036 - there are machines with an older one
        version = "{}.{}".format(*sys.version_info[:2])
        return f"Python {version} is too old\n  -> make the virtual environment with Python 3.11 or newer"
    return ""


if _why_not():
    sys.stderr.write(f"error: {_why_not()}\n")
    sys.exit(3)

"""What tests leave on a machine: `python -m tests.leftovers before`, the tests, `python -m tests.leftovers after`.

`after` removes the images that tests keep for their next run, then compares, and fails with all that has come and not gone. What stays on
purpose is no leftover: base images and the checkout's own caches.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.checkout import RELEASE, ROOT

BEFORE = ROOT / ".state" / "machine-before.json"
SECONDS = 60
ASKED: Mapping[str, Sequence[str]] = {
    "container": ("docker", "ps", "--all", "--format", "{{.Names}} of {{.Image}}"),
    "image": ("docker", "images", "--format", "{{.Repository}}:{{.Tag}}"),
    "dangling image": (
        "docker",
        "images",
        "--filter",
        "dangling=true",
        "--filter",
        f"label=app.kubernetes.io/part-of={RELEASE}",
        "--quiet",
    ),
    "network": ("docker", "network", "ls", "--format", "{{.Name}}"),
    "volume": ("docker", "volume", "ls", "--format", "{{.Name}}"),
    "network namespace": ("ip", "netns", "list"),
    "link": ("ip", "-oneline", "link", "show"),
    "rule": ("iptables-save",),
    "file": ("git", "-C", str(ROOT), "status", "--porcelain", "--ignored"),
}
"""What is asked, and by which program; one that is not there, or that this user may not use, tells nothing."""
FOLDERS = ("/run/todo*", "/var/lib/todo*", "/sys/fs/cgroup/todo*", "/sys/fs/cgroup/*/todo*", f"{tempfile.gettempdir()}/todo*")
KEPT = {
    "image": re.compile(
        r"todo-base-.*|<none>.*|(python|node|postgres|prometheuscommunity/postgres-exporter|docker/dockerfile|moby/buildkit):.*"
    ),
    "file": re.compile(
        r"!! (.*/)?(__pycache__|\.(pytest|mypy|ruff)_cache|node_modules|\.next|test-results|[\w.-]+\.egg-info)/"
        r"|!! \.(venv|tools|cache|state)/|!! \.coverage.*|!! \.env|.*next-env\.d\.ts"
    ),
}
"""What stays on purpose, by what it is."""


def seen() -> dict[str, list[str]]:
    """Return what is on this machine, by what it is."""
    found = {what: lines for what, argv in ASKED.items() if (lines := _answer(what, argv)) is not None}
    found["folder"] = sorted(str(path) for pattern in FOLDERS for path in Path("/").glob(pattern.lstrip("/")))
    return found


def _answer(what: str, argv: Sequence[str]) -> list[str] | None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return sorted({_named(what, line) for line in done.stdout.splitlines() if line.strip()}) if done.returncode == 0 else None


def _named(what: str, line: str) -> str:
    """What of a line tells a thing from others: no counters, numbers or states."""
    if what == "link":
        return line.split(": ")[1].partition("@")[0]
    if what == "network namespace":
        return line.split(maxsplit=1)[0]
    return "" if what == "rule" and line.startswith("#") else re.sub(r" \[\d+:\d+\]$", "", line).rstrip()


def left(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Return what has come and not gone, a line each. Pure. What was not asked before or afterwards is not compared."""
    found = []
    for what in before.keys() & after.keys():
        kept = KEPT.get(what)
        found += [f"{what}: {each}" for each in set(after[what]) - set(before[what]) if not (kept and kept.fullmatch(each))]
    return sorted(found)


def forget_images() -> None:
    """Remove the images that tests keep for their next run: those with the label of their release."""
    label = f"label=app.kubernetes.io/part-of={RELEASE}"
    if ids := _answer("id", ("docker", "images", "--filter", label, "--quiet", "--no-trunc")):
        subprocess.run(["docker", "rmi", "--force", *ids], capture_output=True, timeout=SECONDS, check=False)


def main(when: str) -> int:
    """Write what is there, or compare with it; return the exit code."""
    if when == "before":
        BEFORE.parent.mkdir(exist_ok=True)
        BEFORE.write_text(json.dumps(seen(), indent=1))
        return 0
    if when != "after" or not BEFORE.is_file():
        print("python -m tests.leftovers before, then the tests, then python -m tests.leftovers after", file=sys.stderr)
        return 2
    forget_images()
    found = left(json.loads(BEFORE.read_text()), seen())
    print("\n".join([*found, f"{len(found)} left behind"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))

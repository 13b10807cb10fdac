"""Brings the sources of a service into its running containers, by the chart's `files/dev.py`."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from scripts.config.services import Service, shown
from scripts.core.errors import InputError, TaskError
from scripts.engines.protocol import Engine
from scripts.inner_loop.changes import synced_files
from scripts.kubernetes.pods import PodState

PROGRAM = "/etc/in-dev/dev.py"
AGAIN = "its last log lines say why; the next change starts it again"


def given(service: Service, known: Collection[str], *, restart: bool = False) -> tuple[str, frozenset[str]]:
    """Return what `dev.py take` reads, and the paths in the container that it tells of.

    known: those that were told of before. restart: start the program again even if nothing differs. Raises InputError.
    """
    files = {
        path: base64.b64encode(content).decode() for path, source in synced_files(service).items() if (content := _read(source)) is not None
    }
    gone = sorted(set(known) - files.keys())
    return json.dumps({"files": files, "gone": gone, "restart": restart}), frozenset(files)


def bring(engine: Engine, name: str, service: Service, pods: Sequence[PodState], text: str) -> set[str]:
    """Bring the sources into each of these pods, and return what differed there, once all of them serve. Raises TaskError."""
    changed: set[str] = set()
    for pod in pods:
        result = engine.execute(pod, ["python3", PROGRAM, "take", str(service.port or 0)], text)
        try:
            answer: dict[str, Any] = json.loads(result.stdout.strip().rpartition("\n")[2])
        except ValueError:
            said = (result.stderr or result.stdout).strip().splitlines()[-5:]
            raise TaskError(f"{name}: the sources cannot be copied into {pod.name}", "invoke diagnose", said, code="sync-failed") from None
        if "refused" in answer:
            lines = [_in_checkout(line, service) for line in answer["refused"]]
            raise TaskError(f"{name} has a Python error", "fix it; the previous version keeps serving", lines, code="sync-refused")
        if "ended" in answer:
            raise TaskError(f"{name} ends soon after its start", AGAIN, code="sync-ended")
        if "silent" in answer:
            raise TaskError(f"{name} does not take connections on port {service.port}", f"invoke logs {name}", code="sync-ended")
        changed |= set(answer["changed"])
    return changed


def _in_checkout(line: str, service: Service) -> str:
    """Return a line about a file in the container as one about its source, which an editor opens."""
    return next(
        (f"{shown(source)}{line.removeprefix(path)}" for path, source in synced_files(service).items() if line.startswith(f"{path}:")), line
    )


def _read(path: Path) -> bytes | None:
    """Return a file's content; None where it has gone since it was seen. Raises InputError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(
            f"{shown(path)} cannot be read: {error.strerror}", "make it readable for your user", code="file-unreadable"
        ) from None

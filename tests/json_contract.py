"""What every event that is printed as JSON holds, as `docs/json.md` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS = {
    "step_started": {"step"},
    "step_progress": {"step", "text"},
    "step_finished": {"step", "result", "seconds", "detail"},
    "message": {"text"},
    "warning": {"text"},
    "engine": {"name", "reason"},
    "pods": {"rows"},
    "autoscalers": {"rows"},
    "quota": {"rows"},
    "certificate": {"key", "until"},
    "differences": {"rows"},
    "addresses": {"addresses"},
    "address": {"url"},
    "diagnosis": {"code", "workload", "cause", "evidence", "action", "exits", "follows_from"},
    "clause": {"clause", "section", "text", "check", "on", "verdict", "evidence", "remedy", "reason", "decided"},
    "log": {"service", "pod", "container", "time", "text"},
    "change": {"files", "sync", "build", "settings"},
    "served": {"service", "seconds"},
    "plan": {"rows"},
    "context": {"text"},
    "answer": {"text"},
    "commands": {"rows"},
    "proposal": {"command", "destroys", "difference"},
    "prompt": {"text", "folder"},
    "kagent": {"rows"},
    "questions": {"rows"},
    "values": {"release", "namespace", "values"},
    "superfluous": {"rows"},
    "checks": {"rows"},
    "bench": {"rows"},
    "panels": {"rows"},
    "outdated": {"rows"},
    "vulnerabilities": {"rows"},
    "components": {"rows"},
    "difference": {"file", "text"},
    "unknown": {"rows"},
    "summary": {"rows"},
    "error": {"code", "exit_code", "cause", "evidence", "action"},
    "finished": {"exit_code"},
}
"""Every event and its keys, beside `v` and `event`. Where a key is renamed or removed, raise `report.VERSION`."""
ROWS = {
    "plan": {"step", "change", "why"},
    "pods": {"service", "pod", "state", "ready", "restarts", "age", "cpu", "memory", "image"},
    "autoscalers": {"autoscaler", "now", "wanted", "bounds", "metrics", "why not more"},
    "quota": {"resource", "used", "hard"},
    "differences": {"what", "why"},
    "superfluous": {"where", "what", "frees"},
    "checks": {"check", "found", "verdict", "remedy"},
    "bench": {"what", "invoke", "plain commands", "invoke / plain commands", "programs started"},
    "panels": {"dashboard", "panel", "query", "series"},
    "outdated": {"pin", "where", "now", "newest", "safe", "note"},
    "vulnerabilities": {"package", "where", "now", "advisory", "affected", "what"},
    "components": {"of", "components", "file"},
    "commands": {"command", "result"},
    "kagent": {"pod", "state", "ready"},
    "questions": {"question", "result", "why"},
    "unknown": {"about", "what"},
    "summary": {"step", "result", "seconds", "detail"},
}

OPEN = ("bench",)
"""Events whose rows may have more: a key for each way of doing it."""


def breach(event: str, fields: Mapping[str, Any]) -> str:
    """Return how an event has other keys, or its rows other columns, than the contract says; an empty string where it has those."""
    if fields.keys() != KEYS.get(event):
        return f"{event}: {sorted(fields)}"
    rows = [row.keys() & ROWS[event] if event in OPEN else row.keys() for row in fields.get("rows", ())]
    return next((f"{event}: {sorted(row)}" for row in rows if row != ROWS[event]), "")

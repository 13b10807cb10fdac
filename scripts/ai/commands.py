"""Runs a command of ours for an assistant, as a program, and returns what it printed: without secrets, and no more than can be read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel, Field

from scripts.ai.privacy import learn_env, private
from scripts.core import shell
from scripts.core.errors import DONE, FAILED, TO_DO, TaskError
from scripts.core.paths import ROOT

LONGEST_TEXT = 16_000
LONGEST_ANSWER = 40_000
FOR_WAITING = {"step_started", "step_progress", "finished"}
"""Events that tell a person who waits; their end is told by others."""

ANSWERS = {"not-healthy", "constitution-broken"}
"""Errors that are what was asked for."""

Event = dict[str, Any]


class Answer(BaseModel):
    """What a command left."""

    exit_code: int = Field(
        description="0 done, 1 failed or not healthy, 2 bad input, 3 something is missing, 4 (plan) there is something to do"
    )
    events: list[Event] = Field(description="what it printed, as docs/json.md describes it")
    left_out: int = Field(default=0, description="events that had no room in this answer")

    @property
    def is_failure(self) -> bool:
        """Whether the command could not do or see what it should. To say that the release is not healthy is an answer."""
        codes = {event.get("code") for event in self.events if event["event"] == "error"} or {""}
        return self.exit_code not in (DONE, TO_DO) and not codes <= ANSWERS


def run_command(argv: Sequence[str], *, seconds: float, on_event: Callable[[Event], None] = lambda _: None) -> Answer:
    """Run `invoke ARGV --json` in this checkout and return its answer; a command that takes longer is ended.

    on_event: called with each event as it comes, redacted, from another thread.
    """
    learn_env()
    whole = [sys.executable, "-m", "invoke", "--search-root", str(ROOT), *argv, "--json"]

    def take(line: str) -> None:
        for event in events_in(private(line)):
            on_event(event)

    try:
        result = shell.run(whole, timeout=seconds, ok=None, on_line=take, logged=False)
    except TaskError as error:
        failure = {"event": "error", "code": error.code, "cause": error.cause, "evidence": list(error.evidence), "action": error.action}
        return bounded(FAILED, list(events_in(private(json.dumps(failure)))))
    learn_env()  # the command may have made it
    events = list(events_in(private(result.stdout)))
    if not events and result.code:  # it ended before it could speak JSON, such as for an option that is not there
        events = [{"event": "error", "code": "failed", "cause": private(result.stderr.strip())}]
    return bounded(result.code, events)


def events_in(text: str) -> Iterator[Event]:
    """Yield the events among the lines of a text; lines that are none are passed over."""
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            yield event


def bounded(code: int, events: Sequence[Event]) -> Answer:
    """Return an answer that fits: long texts lose their beginning, and errors come before what else has no room."""
    wanted = [_shortened(event) for event in events if event["event"] not in FOR_WAITING]
    room, kept = LONGEST_ANSWER, set()
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]["event"] != "error"):
        room -= len(json.dumps(wanted[index]))
        if room < 0:
            break
        kept.add(index)
    return Answer(exit_code=code, events=[wanted[index] for index in sorted(kept)], left_out=len(wanted) - len(kept))


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"[{len(value) - LONGEST_TEXT} characters left out] {value[-LONGEST_TEXT:]}"
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return [_shortened(each) for each in value] if isinstance(value, list) else value

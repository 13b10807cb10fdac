"""Why a container that runs is not ready."""

from __future__ import annotations

import re

from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.diagnosis.container import ContainerState
from scripts.kubernetes.diagnosis.rules.logs import LOGIN, login_action
from scripts.kubernetes.diagnosis.snapshot import event_time, exit_count, time_of
from scripts.kubernetes.objects import name_of

LONGEST_ANSWER = 160


def not_ready(container: ContainerState) -> Diagnosis | None:
    """It runs, has started, and its readiness probe fails."""
    running = container.status.get("state", {}).get("running")
    if container.init or not running or container.status.get("ready") or not container.status.get("started"):
        return None
    if exit_count(container.status) >= 2 and container.exited_recently:
        return None  # it is between two crashes, and the crash is the cause
    since = time_of(running.get("startedAt"))
    failed = [e for e in container.events("Unhealthy") if e["message"].startswith("Readiness") and event_time(e) >= since]
    if not failed:
        return None
    words = probe_words(failed[0]["message"])
    answer = container.snapshot.answers.get(f"{name_of(container.pod)}/{container.name}", "")
    path = container.spec.get("readinessProbe", {}).get("httpGet", {}).get("path", "")
    action = container.logs
    if match := re.search(r"statuscode: (\d+)", words):
        code, cause = "readiness-http", _http_cause(path, match[1], answer)
        if LOGIN.search(answer):  # no waiting heals it, unlike most of what a service says of its database
            code, action = "database-login", login_action(container)
    elif "connection refused" in words:
        code, cause = "readiness-refused", f"nothing listens at the readiness probe's address: {words}"
    elif re.search(r"deadline exceeded|timed? ?out|timeout", words, re.IGNORECASE):
        code, cause = "readiness-timeout", f"{path or 'the probe'} does not answer in time: {words}"
    else:
        code, cause = "readiness-failing", f"its readiness probe fails: {words}"
    return container.diagnosis(code, f"container {container.name} runs and is not ready: {cause}", action, failed)


def _http_cause(path: str, seen: str, answer: str) -> str:
    """What the probe saw, with the body of the same status; an answer of another status is newer than the probe, and told as such."""
    status = answer.partition(" ")[0]
    if not answer or status == seen:
        return f"{path} answers {answer[:LONGEST_ANSWER] or seen}"
    return f"{path} answered {seen} to its last probe, and answers {status} now"


def probe_words(message: str) -> str:
    """Return what the probe saw, from the message of an Unhealthy event."""
    return re.sub(r"^\w+ probe (failed|errored[^:]*): ?", "", message.strip())

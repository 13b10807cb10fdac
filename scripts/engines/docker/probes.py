"""Probes of the chart, asked of containers as the kubelet asks them of pods."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from docker.errors import DockerException

from scripts.core.counting import several
from scripts.core.errors import TaskError
from scripts.core.report import StepReport
from scripts.core.waiting import OverdueError, until
from scripts.engines.docker.pod_spec import PodPlan, Probe
from scripts.kubernetes.diagnosis.cause import Diagnosis, one_line
from scripts.logs.text import said
from scripts.machine.docker_errors import told

LOG_LINES = 15
END_SECONDS = 5
HANG_UP_SECONDS = 0.2
STAYS = timedelta(seconds=10)
RESTARTS = 2  # more than that while it is waited for, and it does not come up; the earlier ones may have been for want of a database


def await_probe(pod: PodPlan, container: Any, port: int, probe: Probe, deadline: float, step: StepReport) -> bool:
    """Ask one probe until it succeeds; return whether that took more than one look.

    port: where the container's port is published on this machine. Raises TaskError with the last answer and log lines when the container
    exits or the time is over.
    """
    answer, looks, before = "", 0, int(container.attrs.get("RestartCount", 0))

    def healthy() -> bool:
        nonlocal answer, looks
        container.reload()
        if container.status not in ("running", "restarting") or int(container.attrs.get("RestartCount", 0)) > before + RESTARTS:
            raise _not_ready(pod, container, probe, answer)
        step.progress(f"{pod.workload}: {answer or 'waiting for its probe'}")
        content, answer = _ask(container, probe, port) if container.status == "running" else (False, "it is started again")
        looks += 1
        return content

    with told(f"{pod.workload} cannot be looked at"):
        try:
            until(healthy, seconds=deadline - time.monotonic(), pause=min(0.2, probe.period), what=f"a probe of {pod.workload}")
        except OverdueError:
            raise _not_ready(pod, container, probe, answer) from None
    return looks > 1


def await_ready(pod: PodPlan, container: Any, port: int, seconds: float, step: StepReport) -> bool:
    """Ask both probes of a container until they are content; return whether that took more than one look. Raises TaskError."""
    deadline, waited = time.monotonic() + seconds, False
    for probe in filter(None, (pod.container.startup, pod.container.readiness)):
        waited |= await_probe(pod, container, port, probe, deadline, step)
    return waited


def diagnose(pod: PodPlan, container: Any, port: int) -> Diagnosis | None:
    """Look once at the container of a workload, and ask its probes; return why it is not ready, if it is not. Changes nothing."""
    if container is None:
        return Diagnosis("not-rolled-out", pod.workload, f"{pod.workload} has no container", (), "invoke up")
    with told(f"{pod.workload} cannot be looked at"):
        container.reload()
        if container.status not in ("running", "restarting"):
            code = container.attrs["State"].get("ExitCode")
            cause = f"{pod.workload} does not run: its container is {container.status}, with exit code {code}"
            return Diagnosis("ended-by-itself", pod.workload, cause, tuple(_last_lines(container)), "invoke up starts it")
        for probe in filter(None, (pod.container.startup, pod.container.readiness)):
            healthy, answer = _ask(container, probe, port)
            if not healthy:
                found = _not_ready(pod, container, probe, answer)
                return Diagnosis(_code(container), pod.workload, found.cause, found.evidence, found.action)
    return None


def serves(container: Any, path: str, port: int) -> bool:
    """Return whether what runs in a container answers at a path, or takes a connection where it is empty."""
    return _ask(container, Probe(path), port)[0]


def just_restarted(container: Any) -> bool:
    """Return whether the container ended by itself and was started again a moment ago: it has not shown yet that it stays."""
    if not container.attrs.get("RestartCount", 0):
        return False
    started = datetime.fromisoformat(str(container.attrs["State"]["StartedAt"])[:19]).replace(tzinfo=UTC)
    return datetime.now(UTC) - started < STAYS


def _code(container: Any) -> str:
    if container.attrs["State"].get("OOMKilled"):
        return "out-of-memory"
    return "crash-on-start" if container.attrs.get("RestartCount", 0) else "readiness-failing"


def _last_lines(container: Any) -> list[str]:
    """The end of its log, as a person reads it."""
    lines = container.logs(tail=LOG_LINES).decode(errors="replace").splitlines()
    return [one_line(said(line).plain) for line in lines if line.strip()]


def _not_ready(pod: PodPlan, container: Any, probe: Probe, answer: str) -> TaskError:
    container.reload()
    restarted = bool(container.attrs.get("RestartCount", 0))
    state = _between_two_runs(container) if restarted else container.attrs["State"]
    lines = _last_lines(container)
    if state.get("OOMKilled"):
        cause = f"{pod.workload} used more than its memory limit ({pod.container.memory // 2**20} MiB) and was killed"
        action = f"raise services.{pod.service}.resources.limits.memory in the chart's values"
    elif restarted and state.get("Status") == "running":
        cause = f"{pod.workload} has ended {several(container.attrs['RestartCount'], 'time')}, and does not become ready"
        action = "its last log lines say why"
    elif restarted or container.status != "running":
        cause = f"{pod.workload} ends with exit code {state.get('ExitCode')} soon after its start"
        action = "its last log lines say why"
    else:
        what = probe.path or " ".join(probe.command) or "its port"
        cause = f"{pod.workload} does not become ready: {what} says {answer or 'nothing'}"
        action = "its last log lines say why"
    return TaskError(cause, action, lines, code="not-healthy")


def _between_two_runs(container: Any) -> dict[str, Any]:
    """Wait, for a moment, until a container that ends again and again has ended: while it runs, its exit code reads 0. Return its state."""

    def ended() -> bool:
        container.reload()
        return bool(container.attrs["State"]["Status"] != "running")

    with suppress(OverdueError):
        until(ended, seconds=END_SECONDS, pause=0.05, what="the container to end")
    state: dict[str, Any] = container.attrs["State"]
    return state


def _ask(container: Any, probe: Probe, port: int) -> tuple[bool, str]:
    """Ask a probe once; return whether it is content, and what it said."""
    if probe.command:
        try:
            code, output = container.exec_run(list(probe.command))
        except (DockerException, requests.RequestException) as error:
            return False, str(error)
        lines = output.decode(errors="replace").strip().splitlines()
        return code == 0, lines[-1] if lines else f"exit code {code}"
    if not probe.path:
        return _connects(port, probe.timeout)
    try:
        with direct_session() as session:
            answer = session.get(f"http://127.0.0.1:{port}{probe.path}", timeout=probe.timeout)
    except requests.RequestException as error:
        return False, plain(error)
    return 200 <= answer.status_code < 400, f"{answer.status_code} {_first_line(answer.text)}"


def _connects(port: int, timeout: float) -> tuple[bool, str]:
    """Connect to the published port. Docker's proxy accepts for a container where nothing listens, and then hangs up at once."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as connection:
            connection.settimeout(HANG_UP_SECONDS)
            with suppress(TimeoutError):  # silence is a service that waits for us to speak
                if not connection.recv(1):
                    return False, "the connection is closed at once"
    except OSError as error:
        return False, error.strerror or str(error)
    return True, "connected"


@contextmanager
def direct_session() -> Iterator[requests.Session]:
    """A session that takes no proxy from the environment: the loopback address is never behind one."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def plain(error: requests.RequestException) -> str:
    """Return why a request had no answer, in a few words."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "connection refused" if isinstance(error, requests.ConnectionError) else str(error)


def _first_line(text: str) -> str:
    try:
        return json.dumps(json.loads(text))[:200]
    except ValueError:
        return text.strip().split("\n", 1)[0][:200]

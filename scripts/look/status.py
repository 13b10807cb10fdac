"""`invoke status`: what runs, what it uses, where to open it, and what differs from the sources."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from scripts.command import command
from scripts.core import shell
from scripts.core.report import Report
from scripts.engines.installed import is_installed, what_installs
from scripts.engines.protocol import Engine
from scripts.kubernetes.pods import PodState
from scripts.kubernetes.usage import NOTHING, Amounts
from scripts.look.overview import Overview, take
from scripts.program import run_command
from scripts.project import Project

IMPORTANCE = ("service", "state", "ready", "restarts", "age", "memory", "cpu", "pod", "image")
AGAIN_SECONDS = 2.0
CLEAR = "\x1b[H\x1b[2J\x1b[3J"
SHOWN = ("pods", "limits.cpu", "limits.memory")
FULL = 0.8
ALWAYS_FULL = ("requests.storage", "persistentvolumeclaims")
"""The quota is what the database's volume takes."""


@command(changes=False, help={"watch": "show it again every 2 s, until Ctrl-C"})
def status(project: Project, report: Report, *, watch: bool = False) -> None:
    """Show what runs, what it uses, what `up` would change."""
    if not watch:
        look(project, report)
        return
    try:
        while not shell.stopping():
            look(project, report, clear=sys.stdout.isatty() and not report.as_json)
            shell.pause(AGAIN_SECONDS)
            project = project.again()
    except KeyboardInterrupt:  # the wanted end
        return


def look(project: Project, report: Report, *, clear: bool = False) -> None:
    """Print the status once."""
    engine = project.engine
    found = take(project) if is_installed(engine) else Overview()
    if clear:
        print(CLEAR, end="")
    report.event("engine", name=engine.name, reason=project.reason)
    report.heading(f"engine: {engine.name} ({project.reason})")
    if not found.pods:
        report.result(f"{project.settings.release} is not installed: {what_installs()}")
        return
    show(found, report)
    show_addresses(engine, report)


def show(found: Overview, report: Report) -> None:
    """Print an overview."""
    columns = ("service", "pod", "state", "ready", "restarts", "age", "cpu", "memory", "image")
    report.table(columns, [_row(pod, found.usage.get(pod.name, NOTHING)) for pod in found.pods], "pods", IMPORTANCE)
    if "usage" not in found.unknown and not any(used.memory for used in found.usage.values()):
        report.result("(cpu and memory: no figures; docker stats or the metrics API has none of these pods)")
    if found.scaling:
        rows = [(s.service, str(s.now), str(s.wanted), f"{s.least}-{s.most}", s.metrics, s.why) for s in found.scaling]
        report.result("")
        report.table(("autoscaler", "now", "wanted", "bounds", "metrics", "why not more"), rows, "autoscalers")
    if found.quota:
        report.event("quota", rows=[{"resource": each.resource, "used": each.used, "hard": each.hard} for each in found.quota])
        shown = [each for each in found.quota if each.resource in SHOWN or (each.share >= FULL and each.resource not in ALWAYS_FULL)]
        report.result(f"\nquota: {', '.join(f'{each.resource} {each.used} of {each.hard}' for each in shown)}")
    for key, end in found.certificates:
        report.event("certificate", key=key, until=end.isoformat())
        report.result(f"certificate of {key}: until {end:%Y-%m-%d} ({(end - datetime.now(UTC)).days} days)")
    for note in found.notes:
        report.result(note)
    _show_differences(found, report)
    for part, why in found.unknown.items():
        report.warn(f"{part}: {why}")
    if not all(pod.ready for pod in found.pods):
        report.result("not every pod is ready: invoke diagnose says why")


def _show_differences(found: Overview, report: Report) -> None:
    report.event("differences", rows=[{"what": each.what, "why": each.why} for each in found.differences])
    if found.differences:
        report.result("\ninvoke up would change:")
        for each in found.differences:
            report.result(f"  {each.what} ({each.why})")
    elif "differences" not in found.unknown:
        report.result("\nit matches the sources")


def _row(pod: PodState, used: Amounts) -> tuple[str, ...]:
    cpu, memory = used.of(pod.limits)
    ready, age = "yes" if pod.ready else "no", age_of(pod.started)
    return (pod.service, pod.name, pod.state, ready, str(pod.restarts), age, cpu, memory, pod.image)


def age_of(started: str) -> str:
    """Return how long ago a time of RFC 3339 was, in one number."""
    try:
        seconds = int((datetime.now(UTC) - datetime.fromisoformat(f"{started[:19]}+00:00")).total_seconds())
    except ValueError:
        return ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def show_addresses(engine: Engine, report: Report) -> None:
    """Print where a person opens the public services."""
    addresses = engine.addresses()
    report.event("addresses", addresses={address.service: address.open for address in addresses})
    for address in addresses:
        report.result(f"open {address.service}: {address.open}")


if __name__ == "__main__":
    run_command()

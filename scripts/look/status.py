"""`invoke status`: what runs: the pods of the app, their images, and where to open it."""

from __future__ import annotations

from scripts.command import command, run_command
from scripts.core.report import Report
from scripts.engines.installed import is_installed
from scripts.engines.protocol import Engine
from scripts.project import Project


@command(changes=False)
def status(project: Project, report: Report) -> None:
    """Show what runs, and where to open it."""
    engine = project.engine
    report.event("engine", name=engine.name, reason=project.reason)
    report.result(f"engine: {engine.name} ({project.reason})")
    pods = engine.pods() if is_installed(engine) else []
    if not pods:
        report.result(f"{project.settings.release} is not installed: invoke up")
        return
    rows = [(pod.service, pod.name, pod.state, "yes" if pod.ready else "no", str(pod.restarts), pod.image) for pod in pods]
    report.table(("service", "pod", "state", "ready", "restarts", "image"), rows, "pods")
    show_addresses(engine, report)


def show_addresses(engine: Engine, report: Report) -> None:
    """Print where a person opens the public services."""
    addresses = engine.addresses()
    report.event("addresses", addresses={address.service: address.open for address in addresses})
    for address in addresses:
        report.result(f"open {address.service}: {address.open}")


if __name__ == "__main__":
    run_command()

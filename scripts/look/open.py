"""`invoke open`: the app, Grafana, Prometheus or any service in a browser, through a port forward of ours that ends with us."""

from __future__ import annotations

import contextlib
import sys
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.command import command
from scripts.core import shell
from scripts.core.errors import InputError
from scripts.core.report import Report
from scripts.desired import monitoring
from scripts.desired.service_values import service_name
from scripts.kubernetes.port_forward import forward
from scripts.program import run_command
from scripts.project import Project
from scripts.traffic.asking import paths

MONITORING = ("grafana", "prometheus")


@dataclass(frozen=True)
class Target:
    """A Service, its port, and the port on this machine that it gets (0: any)."""

    namespace: str
    service: str
    port: int
    local_port: int
    page: bool = True
    """Whether a person looks at it; a browser is opened for no other."""
    answers_at: tuple[str, ...] = ()
    """The paths of what is no page that are known to answer."""


def targets(project: Project) -> dict[str, list[Target]]:
    """Return what can be opened, by name: `app`, which is every public service, each that has a port, Grafana and Prometheus."""
    settings = project.settings
    services = {
        name: Target(
            settings.namespace,
            service_name(settings.release, name),
            service.port,
            service.wanted_local_port,
            page="/" in service.asked_pages,
            answers_at=tuple(dict.fromkeys(paths(service))),
        )
        for name, service in settings.services.items()
        if service.port
    }
    return {
        "app": [target for name, target in services.items() if settings.services[name].public],
        **{name: [target] for name, target in services.items()},
        "grafana": [Target(settings.monitoring.namespace, monitoring.object_name(settings, "grafana"), 80, 0)],
        "prometheus": [Target(settings.monitoring.namespace, monitoring.object_name(settings, "prometheus"), 9090, 0)],
    }


@command(
    changes=False,
    help={
        "what": "app (every public service), a service, grafana or prometheus",
        "show-password": "print Grafana's password",
        "browser": "open a browser (--no-browser: only print the address)",
    },
    positional=["what"],
)
def open_(project: Project, report: Report, *, what: str = "app", show_password: bool = False, browser: bool = True) -> None:
    """Open the app, Grafana or Prometheus in a browser.

    On Kubernetes through port forwards that live as long as this command.
    """
    open_forward(project, what, report, show_password=show_password, browser=browser)


def open_forward(project: Project, what: str, report: Report, *, show_password: bool = False, browser: bool = True) -> None:
    """Forward a port of this machine to each part of `what`, open it, and keep it open until an interrupt.

    Raises InputError for something that cannot be opened, TaskError when the app is not installed or a Service does not answer.
    """
    known = targets(project)
    if what not in known:
        raise InputError(f"`{what}` cannot be opened", f"it is one of: {', '.join(known)}", code="target-unknown")
    engine = project.engine
    if engine.deployment is None and what in MONITORING:
        raise InputError(f"the {engine.name} engine has no monitoring", "use a Kubernetes engine for it", code="unsupported-by-engine")
    if not known[what]:
        raise InputError("no service is public", "set `public: true` for one under `services` in invoke.yaml", code="no-public-service")
    if what not in MONITORING:
        project.require_installed()
    if engine.deployment is None:
        _open_published(what, known[what], report, browser=browser)
        return
    if what == "grafana":
        if reason := monitoring.grafana_is_off(project.settings):
            raise InputError(reason, "switch it on there, then invoke up", code="monitoring-off")
        _say_how_to_sign_in(project, report, show_password=show_password)
    with contextlib.ExitStack() as forwards:
        for target in known[what]:
            cluster = engine.deployment.cluster.within(target.namespace, project.settings.release)
            port = forwards.enter_context(forward(cluster, f"service/{target.service}", target.port, target.local_port))
            _open(target, port, report, browser=browser)
        report.say("Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):  # the wanted end
            while not shell.stopping():
                time.sleep(0.5)


def _open_published(what: str, targets: Sequence[Target], report: Report, *, browser: bool) -> None:
    """Open what Docker has published. Raises InputError where that is no fixed port."""
    for target in targets:
        if not target.local_port:
            fixed = f"give services.{what} a local_port in invoke.yaml, then invoke up"
            raise InputError(f"{what} has no fixed port on this machine", fixed, code="no-public-service")
        _open(target, target.local_port, report, browser=browser)


def _say_how_to_sign_in(project: Project, report: Report, *, show_password: bool) -> None:
    report.say(f"sign in as `admin`; the password is {monitoring.PASSWORD_KEY} in .env (--show-password prints it)")
    if show_password:  # asked for by name: the one place where a secret is printed, past the redactor
        print(project.env.get(monitoring.PASSWORD_KEY), file=sys.stdout, flush=True)


def _open(target: Target, port: int, report: Report, *, browser: bool) -> None:
    url = f"http://localhost:{port}"
    report.event("address", url=url)
    report.result(url)
    if not target.page:
        report.say(f"{target.service} has no page at /; it answers at {', '.join(target.answers_at) or 'paths of its own'}")
    elif browser and not report.as_json and sys.stdout.isatty() and not webbrowser.open(url):
        report.say("no browser could be started here: open that address yourself")


if __name__ == "__main__":
    run_command()

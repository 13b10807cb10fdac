"""`invoke shell SERVICE`: a shell in a container of a service, or beside it where its image has none."""

from __future__ import annotations

from scripts.command import command
from scripts.core import shell as programs
from scripts.core.report import Report
from scripts.core.shell import CommandLine
from scripts.engines.protocol import Engine
from scripts.operate import terminal
from scripts.program import run_command
from scripts.project import Project

LOOK_SECONDS = 30
FILES = "/proc/1/root"


@command(
    changes=False,
    positional=["service"],
    help={
        "service": "a service, or postgres",
        "command": "run this command instead of an interactive shell",
        "image": "an image with a shell, where the service's own has none",
    },
)
def shell(project: Project, report: Report, *, service: str, command: str = "", image: str = "") -> None:
    """Open a shell in a service, as its user.

    Beside it, where its image has none.
    """
    terminal.refuse_json(report)
    project.require_installed()
    argv = ["sh", "-c", command] if command else ["sh"]
    line = _line(project.engine, service, argv, image, report)
    terminal.run(line, f"`{command}`" if command else "the shell", lenient=not command)


def _line(engine: Engine, service: str, argv: list[str], image: str, report: Report) -> CommandLine:
    inside = engine.operations.inside(service, ["sh", "-c", ":"])
    tty = terminal.is_there()
    if not image and programs.run(inside.argv, timeout=LOOK_SECONDS, ok=None, env=inside.environment).code == 0:
        return engine.operations.inside(service, argv, terminal=tty)
    report.say(f"a shell beside {service}, in its network and process namespaces: its files are below {FILES}")
    return engine.operations.beside(service, argv, image, terminal=tty)


if __name__ == "__main__":
    run_command()

"""`invoke restore FILE`: the bundled Postgres holds what a backup does, and nothing else; then the app is brought up with it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rich.filesize import decimal

from scripts.command import command
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed
from scripts.core.shell import CommandLine
from scripts.database import access
from scripts.operate import dump
from scripts.program import run_command
from scripts.project import Project
from scripts.up import bring_up

SECONDS = 3600
OPTIONS = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null")


@command(
    changes=True,
    positional=["file"],
    monitoring=True,
    help={
        "file": "what `invoke backup` wrote",
        "yes": "answer yes to the question",
    },
)
def restore(project: Project, report: Report, *, file: str, yes: bool = False) -> None:
    """Restore a backup, and bring the app up.

    In one transaction: everything is replaced, or nothing is. The app waits meanwhile.
    """
    path = Path(file).expanduser().absolute()
    content = dump.whole(path)
    line = access.in_bundled(project, "psql", *OPTIONS)
    if not yes and not report.confirm(f"Replace everything in the database with {path}?"):
        report.say("nothing was changed")
        return
    run_steps([Step("restore", partial(_restore, project, line, path, content))], report)
    bring_up(project, report)


def _restore(project: Project, line: CommandLine, path: Path, content: int, step: StepReport) -> Outcome:
    step.progress(f"sending {decimal(content)} of SQL")
    said = shell.run(line.argv, timeout=SECONDS, env=line.environment, input=dump.replacing(path)).stdout
    if dump.RESTORED not in said:
        raise TaskError("the transfer broke off: the database is as it was", "run it again", code="command-failed")
    keys = {key for key, rule in project.settings.env.items() if rule.format == "postgres_url"}
    users = [name for name, service in project.settings.services.items() if keys & service.env_keys]
    project.engine.operations.renew(users, step)
    return changed(f"{decimal(content)} of SQL; restarted {', '.join(users)}")


if __name__ == "__main__":
    run_command()

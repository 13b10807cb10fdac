"""`invoke rotate KEY`: a new random value for a key of `.env`, brought to everyone who holds it; the old one is withdrawn."""

from __future__ import annotations

from scripts.command import command
from scripts.config import env_generation
from scripts.config.validation import meant
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Report
from scripts.program import run_command
from scripts.project import ENV, Project
from scripts.up import bring_up


@command(changes=True, positional=["key"], monitoring=True, help={"key": "the key of .env"})
def rotate(project: Project, report: Report, *, key: str) -> None:
    """Give a key of .env a new value without downtime.

    The old value is withdrawn: nothing holds it afterwards, and no rollback goes back to it.
    """
    _refuse(project, key)
    project.require_installed()
    before = project.secrets
    env_generation.replace_value(ENV, key)
    report.say(f".env: {key} has a new value")
    project = project.again()
    bring_up(project, report)
    if project.secrets != before and (left := project.engine.withdraw(project.secrets, project.images)):
        raise TaskError(f"the old value of {key} is still in use", "invoke status, then invoke rotate again", left, code="value-in-use")
    report.result(f"{key}: the new value is in use, and nothing holds the old one")


def _refuse(project: Project, key: str) -> None:
    """Raise InputError for a key that cannot be given a random value, and for a `.env` that is not right as it is."""
    rule = project.settings.env.get(key)
    if rule is None:
        raise InputError(
            f"there is no key `{key}`{meant(key, project.settings.env)}", "invoke.yaml lists them under env", code="key-unknown"
        )
    if not rule.generate:
        raise InputError(
            f"{key} is not a generated key: {rule.description}", "put its new value into .env, then invoke up", code="key-not-generated"
        )
    _ = project.env


if __name__ == "__main__":
    run_command()

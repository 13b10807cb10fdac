"""`invoke lint`: style, formatting and types."""

from __future__ import annotations

from invoke import Context, task

from scripts.dev.program import run_module
from scripts.program import Lettered, run_command


@task(klass=Lettered, help={"fix": "fix what can be fixed"})
def lint(_: Context, fix: bool = False) -> None:
    """Check style, formatting, types and import directions."""
    run_module("ruff", "format", *([] if fix else ["--check"]), ".")
    run_module("ruff", "check", *(["--fix"] if fix else []), ".")
    run_module("mypy")
    run_module("mypy", "--config-file=app/backend/pyproject.toml", "app/backend/src")
    run_module("pytest", "--quiet", "-m", "unit", "tests/test_imports.py")


if __name__ == "__main__":
    run_command()

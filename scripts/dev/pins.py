"""`invoke lock`: the pins of the Python requirements."""

from __future__ import annotations

from invoke import Context, task

from scripts.dev.program import run_module
from scripts.program import Lettered, run_command


@task(klass=Lettered, name="lock")
def lock(_: Context) -> None:
    """Pin the Python requirements again, with hashes."""
    for name in ("requirements", "app/backend/requirements", "requirements-dev"):
        run_module(
            *("uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version=3.11"),
            "--no-strip-extras",  # pip before 23.3 takes `name[extra]` only where the pin says it too
            f"{name}.in",
            f"--output-file={name}.txt",
        )


if __name__ == "__main__":
    run_command("lock")

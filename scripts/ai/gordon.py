"""`invoke gordon`: a service's Dockerfile for Docker's own assistant, in a copy that holds no secret."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from scripts.ai.privacy import learn_env, private
from scripts.command import command
from scripts.config.services import Source
from scripts.config.validation import meant
from scripts.core import shell
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.paths import ROOT, STATE
from scripts.core.report import Report
from scripts.desired.build_context import entries
from scripts.program import run_command
from scripts.project import Project

COPIES = STATE / "gordon"
ASK_SECONDS = 20
LARGEST = 256 * 1024
MOST = 2000
PROMPT = """\
Review the Dockerfile in this folder, which builds the image of the service `{service}`, and say what you would change and why:
size, build cache, security, reproducibility.
Keep to these rules: the container runs as another user than root, with a read-only root file system and no capability; no secret is in a
layer, an argument or an environment variable of the image; base images and packages are pinned.
Show each change as a unified difference against `Dockerfile`. Read no file outside this folder.
"""


@dataclass
class Copy:
    """A folder for an assistant to read."""

    folder: Path
    changes: list[str] = field(default_factory=list)
    """How it differs from what Docker would take, a line each."""


@command(
    changes=False, positional=["service"], help={"service": "whose Dockerfile to review", "run": "start the review now, in this terminal"}
)
def gordon(project: Project, report: Report, *, service: str, run: bool = False) -> None:
    """Have Docker's assistant review a Dockerfile.

    It gets a copy without `.env`; without --run, the prompt is printed.
    """
    review(project, report, service, run=run)


def review(project: Project, report: Report, service: str, *, run: bool) -> None:
    """Make the copy, print the prompt, and hand both over where that is wanted. Raises InputError, MissingError."""
    source = _source(project, service)
    if run and (report.as_json or not sys.stdin.isatty()):
        raise InputError("--run: Docker's assistant needs a terminal, and there is none", "leave out --run, and --json")
    copy, prompt = copied(source, COPIES / service), PROMPT.format(service=service)
    (copy.folder.parent / f"{service}.prompt.txt").write_text(prompt, encoding="utf-8")
    argv = ["docker", "ai", "--working-dir", str(copy.folder), prompt]
    for line in copy.changes:
        report.say(f"the copy: {line}")
    report.event("prompt", text=prompt, folder=str(copy.folder))
    report.result(prompt)
    if not is_there():
        raise MissingError(
            "Docker's assistant (Gordon) is not here: it is a part of Docker Desktop, signed in and switched on under Settings > AI",
            "give the prompt to another assistant, with this folder",
            [str(copy.folder.relative_to(ROOT))],
            code="gordon-missing",
        )
    report.say("Gordon can read any file that you can, without asking, and sends what it reads to Docker: the copy does not confine it")
    if run:
        shell.attached(argv)
    else:
        report.result(shlex.join(argv))


def _source(project: Project, service: str) -> Source:
    known = {name: source for name, source in project.settings.services.items() if not source.image}
    if service not in known:
        raise InputError(f"no image is built for `{service}`{meant(service, known)}", f"one of: {', '.join(known)}", code="service-unknown")
    return known[service]


def copied(source: Source, target: Path) -> Copy:
    """Copy the Dockerfile and the build context of a service, without what is secret. Raises InputError where it cannot be read."""
    learn_env()
    shutil.rmtree(target, ignore_errors=True)
    copy = Copy(target)
    target.mkdir(parents=True)
    context, dockerfile = source.folder(), source.file()
    files = [entry.relative for entry in entries(context, dockerfile) if entry.kind == "file"]
    for relative in files[:MOST]:
        if change := _take(context / relative, target / relative):
            copy.changes.append(f"{relative}: {change}")
    if more := files[MOST:]:
        copy.changes.append(f"left out, {len(more)} files more than {MOST}")
    (target / "Dockerfile").write_text(private(dockerfile.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
    return copy


def _take(path: Path, target: Path) -> str:
    """Copy a file; return how the copy differs, if it does."""
    if (path.name == ".env" or path.name.startswith(".env.")) and path.name != ".env.example":
        return "left out, it is for secrets"
    if path.stat().st_size > LARGEST:
        return f"left out, it is larger than {LARGEST // 1024} KiB"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_bytes().decode(errors="replace")
    if (masked := private(text)) != text:
        target.write_text(masked, encoding="utf-8")
        return "what looks like a secret is masked"
    shutil.copyfile(path, target)
    return ""


def is_there() -> bool:
    """Whether this machine's Docker has the assistant."""
    with contextlib.suppress(TaskError):
        return shell.run(["docker", "ai", "version"], timeout=ASK_SECONDS, ok=None).code == 0
    return False


if __name__ == "__main__":
    run_command()

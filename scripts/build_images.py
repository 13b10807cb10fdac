"""Build the images on this machine, in parallel, and skip what is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from scripts.command import run_alone
from scripts.core import shell
from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.images import Image
from scripts.images import bases
from scripts.images.build import build, missing, size_mb
from scripts.images.build_network import extra_ca_image
from scripts.images.snapshot import snapshots
from scripts.project import Project

LOOKS = 5  # at sources that change while they are read
PAUSE_SECONDS = 1.0
MOST_AT_ONCE = 8


def decide(project: Project, step: StepReport) -> Decision:
    """Decide which images are to be built: those of the sources that are not there. Their names are known once their bases are there."""
    step.progress("looking for the images of these sources")
    known = bases.Known(project.settings)
    if lacks := bases.missing(project.settings, project.sources, known):
        changes = [Change(f"get the {'image' if place else 'base image'} {name}", "it is not here") for name, place in lacks.items()]
        changes += [Change(f"build {name}", "what it is built on is new") for name in sorted(project.sources)]
        return Decision("", tuple(changes), partial(_build_on_new_bases, project, lacks), blocks=True)
    changes = [Change(f"build {image.reference}", "no such image here") for image in missing(project.refresh_images(known))]
    return Decision(f"{len(project.images)} images are up to date", tuple(changes), partial(_build_all, project))


def main(project: Project, step: StepReport) -> Outcome:
    """Make every image that is not there, on bases that are made first. Raises TaskError with the build's last lines."""
    with project.built.until_the_end():
        outcome = decide(project, step).carry_out(step)
        project.built.tell(project.images)
        project.users()  # or the chart's step would be the first to find that one runs as root
    return outcome


def _build_on_new_bases(project: Project, lacks: Mapping[str, str], step: StepReport) -> Outcome:
    with ThreadPoolExecutor(max_workers=min(len(lacks), MOST_AT_ONCE), thread_name_prefix="base") as pool:
        list(pool.map(lambda name: bases.bring(project.settings, name, lacks[name], step), lacks))
    outcome = _build_all(project, step)
    return outcome if outcome.kind == "changed" else changed(f"bases {', '.join(lacks)}")


def _build_all(project: Project, step: StepReport) -> Outcome:
    built = _build_missing(project, step)
    sizes = ", ".join(f"{image.reference} ({size_mb(image):.0f} MB)" for image in built)
    return changed(f"built {sizes}") if built else unchanged(f"{len(project.images)} images are up to date")


def _build_missing(project: Project, step: StepReport) -> list[Image]:
    """Build what is missing of the images of the sources as they are now, which later steps take; return what was built.

    Each is built of a private copy of its sources, and named by the hash of that copy: an edit while the build runs is the next run's.
    """
    for _ in range(LOOKS):
        to_build = missing(project.refresh_images())
        if not to_build:
            return []
        with snapshots(to_build) as copies:
            if [copy.tag for copy in copies] == [image.tag for image in to_build]:
                project.built.tell(image for image in project.images if image not in to_build)
                _build(project, to_build, copies, step)
                return to_build
        step.progress("the sources changed while they were read; reading them again")
        shell.pause(PAUSE_SECONDS)
    raise TaskError(
        "the sources keep changing while they are read",
        "stop what writes into the build contexts, or list it in .dockerignore",
        code="sources-unstable",
    )


def _build(project: Project, images: Sequence[Image], copies: Sequence[Image], step: StepReport) -> None:
    ca_image = extra_ca_image(project.settings)

    def one(image: Image, copy: Image) -> None:
        build(image, copy, ca_image, project.settings, step)
        project.built.tell([image])

    with ThreadPoolExecutor(max_workers=min(len(images), MOST_AT_ONCE), thread_name_prefix="build") as pool:
        list(pool.map(one, images, copies))


if __name__ == "__main__":
    run_alone(main)

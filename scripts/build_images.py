"""Build the images on this machine, in parallel, and skip what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.command import run_alone
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.desired.images import Image
from scripts.images import bases
from scripts.images.build import build, check_user, exists, size_mb
from scripts.images.build_network import extra_ca_image
from scripts.images.snapshot import snapshots
from scripts.project import Project

LOOKS = 5  # at sources that change while they are read
PAUSE_SECONDS = 1.0


def main(project: Project, step: StepReport) -> Outcome:
    """Make every image that is not there, on bases that are made first. Raises TaskError with the build's last lines."""
    settings = project.settings
    names = sorted({source.base for source in project.sources.values()})
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="base") as pool:
        list(pool.map(lambda name: bases.ensure(settings, name, step), names))
    built = _build_missing(project, step)
    for image in project.images:
        check_user(image)
    sizes = ", ".join(f"{image.reference} ({size_mb(image):.0f} MB)" for image in built)
    return changed(f"built {sizes}") if built else unchanged(f"{len(project.images)} images are up to date")


def _build_missing(project: Project, step: StepReport) -> list[Image]:
    """Build what is missing of the images of the sources as they are now, which later steps take; return what was built.

    Each is built of a private copy of its sources, and named by the hash of that copy: an edit while the build runs is the next run's.
    """
    for _ in range(LOOKS):
        missing = [image for image in project.refresh_images() if not exists(image)]
        if not missing:
            return []
        with snapshots(missing) as copies:
            if [copy.tag for copy in copies] == [image.tag for image in missing]:
                _build(missing, copies, project.settings, step)
                return missing
        step.progress("the sources changed while they were read; reading them again")
        shell.pause(PAUSE_SECONDS)
    raise TaskError(
        "the sources change each time they are read",
        "end what writes into the build contexts, or name it in .dockerignore",
        code="sources-unstable",
    )


def _build(images: Sequence[Image], copies: Sequence[Image], settings: Settings, step: StepReport) -> None:
    ca_image = extra_ca_image(settings)
    with ThreadPoolExecutor(max_workers=len(images), thread_name_prefix="build") as pool:
        list(pool.map(lambda image, copy: build(image, copy, ca_image, settings, step), images, copies))


if __name__ == "__main__":
    run_alone(main)

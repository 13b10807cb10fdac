"""Build the images on this machine, in parallel, and skip what is there already."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from scripts.command import run_alone
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.images import bases
from scripts.images.build import build, check_user, exists, extra_ca_image, size_mb
from scripts.project import Project


def main(project: Project, step: StepReport) -> Outcome:
    """Make every image that is not there, on bases that are made first. Raises TaskError with the build's last lines."""
    settings = project.settings
    names = sorted({source.base for source in project.sources.values()})
    with ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="base") as pool:
        list(pool.map(lambda name: bases.ensure(settings, name, step), names))
    planned = project.images
    missing = [image for image in planned if not exists(image)]
    if missing:
        ca_image = extra_ca_image(settings)
        with ThreadPoolExecutor(max_workers=len(missing), thread_name_prefix="build") as pool:
            list(pool.map(lambda image: build(image, ca_image, settings, step), missing))
    for image in planned:
        check_user(image)
    sizes = ", ".join(f"{image.reference} ({size_mb(image):.0f} MB)" for image in missing or planned)
    return changed(f"built {sizes}") if missing else unchanged(f"{len(planned)} images are up to date")


if __name__ == "__main__":
    run_alone(main)

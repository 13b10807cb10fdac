"""`invoke values`: every value of the chart, for `helm install` in a cloud or a GitOps repository without this tool."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import yaml

from scripts.command import command
from scripts.core.report import Report
from scripts.desired.helm_release import HelmRelease
from scripts.program import run_command
from scripts.project import Project


@command(changes=False, help={"registry": "where the nodes get the images that are built, as HOST/PATH"})
def values(project: Project, report: Report, *, registry: str = "") -> None:
    """Print every value of the chart, as `up` sets it."""
    print_values(project, report, registry)


def print_values(project: Project, report: Report, registry: str = "") -> None:
    """Print all values; with a registry, images as it has them. Raises TaskError where an image is not built yet."""
    release = project.release()
    made = _from_registry(release.values, project, registry.rstrip("/")) if registry else dict(release.values)
    report.event("values", release=release.name, namespace=release.namespace, values=made)
    for line in [*_explained(release, project), *yaml.safe_dump(made, sort_keys=False, width=140).splitlines()]:
        report.result(line)


def _explained(release: HelmRelease, project: Project) -> list[str]:
    """Comments: the command that takes the values, and the Secrets that must be there first."""
    chart = project.settings.chart.path
    lines = [f"# helm upgrade --install {release.name} {chart} --namespace {release.namespace} --values THIS-FILE"]
    return [*lines, *(f"# needs the Secret {secret.name}: {', '.join(secret.keys)}" for secret in project.secrets)]


def _from_registry(values: Mapping[str, Any], project: Project, registry: str) -> dict[str, Any]:
    """Name images as a registry has them: those that are built below it, and those that are taken by their own names."""
    made = copy.deepcopy(dict(values))
    taken = {name: service.image for name, service in project.settings.services.items() if service.image}
    sections = {**made["services"], "": made["postgres"], " ": made["postgres"].get("exporter", {})}
    for name, section in sections.items():
        image = section.get("image", {})
        if name in taken:
            section["image"] = _reference(taken[name])
        elif image.get("repository"):
            image["repository"] = f"{registry}/{image['repository']}"
    return made


def _reference(image: str) -> dict[str, str]:
    """An image's name in the chart's words: where it has a digest, that says which."""
    name, _, digest = image.partition("@")
    before, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return {"repository": f"{before}{slash}{last}", **({"digest": digest} if digest else {"tag": tag})}


if __name__ == "__main__":
    run_command()

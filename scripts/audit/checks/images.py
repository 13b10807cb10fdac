"""Checks of images, and of where the values of `.env` are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.audit.facts import CLUSTER, IMAGES, Facts, Finding, Objects, Search, Unseen, containers_of, judged, not_checkable
from scripts.core.counting import several

OF_IMAGES = "image "
"""How a place in an image begins."""


def image_secrets(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether an image holds a value of `.env`, or sets one of its keys."""
    if isinstance(facts.images, Unseen):
        return not_checkable(IMAGES, facts.images.why)
    if isinstance(facts.search, Unseen):
        return not_checkable(IMAGES, facts.search.why)
    secret = facts.settings.env
    wrong = [f"{image.reference} sets {key}" for image in facts.images for key in image.environment if key in secret]
    wrong += [f"{leak.key} is in {leak.place}" for leak in facts.search.leaks if leak.place.startswith(OF_IMAGES)]
    blind = [place for place in facts.search.not_searched if place.startswith(OF_IMAGES)]
    if blind and not wrong:
        return not_checkable(IMAGES, f"not searched: {', '.join(blind)}")
    places = f"{several(sum(image.layers for image in facts.images), 'layer')} of {several(len(facts.images), 'image')}"
    evidence = f"none of {several(facts.search.keys, 'value')} in configuration, history and {places}"
    return judged(IMAGES, wrong, [evidence, *_too_short(facts.search)])


def secrets(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every key of `.env` comes from a Secret, and its value is found nowhere else."""
    if isinstance(facts.search, Unseen):
        return not_checkable(CLUSTER, f"not searched: {facts.search.why}")
    leaks = [f"{leak.key} is in {leak.place}" for leak in facts.search.leaks]
    if isinstance(facts.objects, Unseen) or not facts.objects.live:
        why = facts.objects.why if isinstance(facts.objects, Unseen) else "there is no Kubernetes with Secrets"
        return judged("files, images and logs", leaks, ()) if leaks else not_checkable(CLUSTER, why)
    plain, by_reference = _variables(facts, facts.objects)
    wrong = [*plain, *leaks]
    if facts.search.not_searched and not wrong:
        return not_checkable(CLUSTER, f"not searched: {', '.join(facts.search.not_searched)}")
    searched = f"none of {several(facts.search.keys, 'value')} in {', '.join(facts.search.places)}"
    return judged(CLUSTER, wrong, [f"{by_reference} variables by secretKeyRef", searched, *_too_short(facts.search)])


def _variables(facts: Facts, objects: Objects) -> tuple[list[str], int]:
    """Return what is wrong with the variables that hold secrets, and how many come from a Secret."""
    wrong, by_reference = [], 0
    for service, name, spec in objects.pods():
        for variable in (each for container in containers_of(spec, init=True) for each in container.get("env", ())):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                by_reference += 1
            elif variable["name"] in _secret_names(facts, service):
                wrong.append(f"{name} gets {variable['name']} as a plain value")
    return wrong, by_reference


def _too_short(search: Search) -> list[str]:
    return [f"too short to be searched for: {', '.join(search.too_short)}"] if search.too_short else []


def _secret_names(facts: Facts, service: str) -> set[str]:
    """The variables that a service gets of `.env`, and the keys themselves."""
    declared = facts.settings.services.get(service)
    return {variable.name for variable in declared.secrets} | set(facts.settings.env) if declared else set(facts.settings.env)


CHECKS = {"image-secrets": image_secrets, "secrets": secrets}

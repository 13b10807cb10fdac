"""Checks of images, and of where the values of `.env` are found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.audit.facts import CLUSTER, IMAGES, Facts, Finding, Search, Unseen, Verdict, containers_of, judged, not_checkable

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
    layers = sum(image.layers for image in facts.images)
    evidence = [f"none of {facts.search.keys} values in configuration, history and {layers} layers of {len(facts.images)} images"]
    return judged(IMAGES, wrong, evidence)


def secrets(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether every key of `.env` comes from a Secret, and its value is found nowhere else."""
    if isinstance(facts.objects, Unseen) or not facts.objects.live:
        return not_checkable(CLUSTER, facts.objects.why if isinstance(facts.objects, Unseen) else "there is no Kubernetes with Secrets")
    wrong, by_reference = [], 0
    for service, name, spec in facts.objects.pods():
        for variable in (each for container in containers_of(spec, init=True) for each in container.get("env", ())):
            if "secretKeyRef" in variable.get("valueFrom", {}):
                by_reference += 1
            elif variable["name"] in _secret_names(facts, service):
                wrong.append(f"{name} gets {variable['name']} as a plain value")
    if isinstance(facts.search, Search):
        wrong += [f"{leak.key} is in {leak.place}" for leak in facts.search.leaks]
        searched = [f"none of {facts.search.keys} values in {', '.join(facts.search.places)}"]
        searched += [f"not searched: {', '.join(facts.search.not_searched)}"] if facts.search.not_searched else []
    else:
        searched = [f"not searched: {facts.search.why}"]
        if not wrong:
            return Finding(Verdict.NOT_CHECKABLE, CLUSTER, tuple(searched))
    return judged(CLUSTER, wrong, [f"{by_reference} variables by secretKeyRef", *searched])


def _secret_names(facts: Facts, service: str) -> set[str]:
    """The variables that a service gets of `.env`, and the keys themselves."""
    declared = facts.settings.services.get(service)
    return {variable.name for variable in declared.secrets} | set(facts.settings.env) if declared else set(facts.settings.env)


CHECKS = {"image-secrets": image_secrets, "secrets": secrets}

"""The labels by which objects, images and containers are told apart: those that Kubernetes recommends, with our values."""

from __future__ import annotations

from collections.abc import Mapping

INSTANCE = "app.kubernetes.io/instance"
"""The Helm release that made an object."""
COMPONENT = "app.kubernetes.io/component"
"""The service that it belongs to."""
PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "todo-tasks"
"""Who made what no Helm release did, as a label's value and as the owner of fields."""


def of_project(release: str) -> dict[str, str]:
    """Return the labels of what we make for the app outside its Helm release."""
    return {PART_OF: release, MANAGED_BY: MANAGER}


def pairs(labels: Mapping[str, str]) -> list[str]:
    """Return labels as Docker's filters take them: `key=value`."""
    return [f"{key}={value}" for key, value in labels.items()]


def selector(labels: Mapping[str, str]) -> str:
    """Return labels as kubectl's `--selector` takes them."""
    return ",".join(pairs(labels))

"""Manifests as helm renders them: the objects in a text, and its parts."""

from __future__ import annotations

import re
from collections.abc import Collection

import yaml

from scripts.kubernetes.api import Object

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C: ten times as fast
_NAMESPACE = re.compile(r"^ +namespace: \"?([-a-z0-9]+)", re.MULTILINE)


def objects(text: str) -> list[Object]:
    """Return the objects of a manifest."""
    return [each for each in yaml.load_all(text, Loader=_LOADER) if each]


def documents(text: str) -> list[str]:
    """Return the objects of a manifest, each as its own YAML."""
    return [each for each in re.split(r"^---\s*$", text, flags=re.MULTILINE) if "kind:" in each]


def by_namespace(text: str, own: str) -> dict[str, str]:
    """Return a manifest in parts: that of the release's namespace and of the whole cluster, and one for each other namespace.

    kubectl refuses an object of another namespace than the one that the call names.
    """
    parts = {own: ""}
    for document in documents(text):
        named = set(_NAMESPACE.findall(document)) - {own}
        name = _read(document)["metadata"].get("namespace", own) if named else own  # a RoleBinding's `subjects` have a namespace too
        parts[name] = f"{parts.get(name, '')}---\n{document}"
    return parts


def without(text: str, keys: Collection[tuple[str, str]]) -> str:
    """Return a manifest without the objects that have one of these kinds and names."""
    if not keys:
        return text
    return "".join(f"---\n{document}" for document in documents(text) if key(_read(document)) not in keys)


def key(thing: Object) -> tuple[str, str]:
    """Return what tells an object from the others of a release: its kind and its name."""
    return thing["kind"], thing["metadata"]["name"]


def _read(document: str) -> Object:
    found: Object = yaml.load(document, Loader=_LOADER)  # noqa: S506 - as above
    return found

"""A revision that somebody made with helm past `invoke up`: no drift, since the cluster is as helm's newest revision says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.core.hashes import FINGERPRINT
from scripts.kubernetes import drift, helm, manifests
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.helm import Revision

OURS = re.compile(rf"[0-9a-f]{{{FINGERPRINT}}}")


@dataclass(frozen=True)
class Strange:
    """Somebody's newest revision, and what it changed of the newest one of ours."""

    number: int
    before: int
    differences: tuple[str, ...]

    @property
    def line(self) -> str:
        """What it is, for a person."""
        more = f" (and {len(self.differences) - 1} more)" if len(self.differences) > 1 else ""
        return f"somebody's helm made revision {self.number} past invoke up: {self.differences[0]}{more}"

    def diagnosis(self, release: str) -> Diagnosis:
        """Return it as a cause of what is wrong."""
        action = f"invoke up puts its own in its place; what is to stay belongs in invoke.yaml (helm history {release})"
        evidence = (f"revision {self.before} is the last of invoke up", *self.differences)
        return Diagnosis("release-strange", release, f"{release}: {self.line}", evidence, action)


def find(cluster: Cluster, revisions: Sequence[Revision]) -> Strange | None:
    """Return the newest revision where somebody else made it and it changes what runs. Raises CommandError."""
    if not revisions or revisions[-1].status != "deployed":
        return None
    mark = helm.fingerprint(revisions[-1], revisions)
    if not mark or OURS.fullmatch(mark):  # none: of a rollback to a revision that helm has forgotten
        return None
    ours = (each for each in reversed(revisions) if each.status in helm.WAS_DEPLOYED and OURS.fullmatch(helm.fingerprint(each, revisions)))
    if (before := next(ours, None)) is None:
        return None
    found = tuple(differences(helm.manifest(cluster, before.number), helm.manifest(cluster)))
    return Strange(revisions[-1].number, before.number, found) if found else None


def differences(before: str, after: str) -> Iterator[str]:
    """Yield what one manifest has otherwise than another, without the values of Secrets. Pure."""
    old, new = ({manifests.key(each): each for each in manifests.objects(text)} for text in (before, after))
    for key in sorted(old.keys() | new.keys()):
        name = " ".join(key)
        if key in old and key in new:
            yield from (f"{name}: {told}" for told in drift.differences(new[key], old[key]))
        else:
            yield f"{name} is {'gone' if key in old else 'new'}"

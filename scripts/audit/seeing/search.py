"""Where the values of `.env` are looked for, beside images: in a cluster, in logs, and in files of the checkout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from scripts.audit.facts import Objects
from scripts.audit.seeing import cluster, docker, repository
from scripts.audit.seeing.seeker import Seeker
from scripts.core.counting import several
from scripts.core.paths import ROOT, STATE
from scripts.desired.secrets import value_of
from scripts.kubernetes import helm_record
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.objects import name_of
from scripts.project import ENV, Project

LOG_LINES = cluster.LOG_LINES


def values(project: Project) -> dict[str, str]:
    """Return what `.env` says and what is made of it, by key. Raises InputError."""
    return {key: value for key in project.settings.env if (value := value_of(key, project.settings, project.env))}


def in_cluster(there: Cluster, objects: Objects, seeker: Seeker) -> Iterator[str]:
    """Look in everything of a release but its Secrets; yield each kind of place. Raises CommandError."""
    records = there.get("secrets", selector=f"owner=helm,name={there.release}")
    for each in records:
        seeker.seek(f"Helm's record {name_of(each)}", json.dumps(helm_record.decoded(each["data"]["release"])))
    yield several(len(records), "Helm record")
    for each in objects.items:
        seeker.seek(f"{each['kind']} {name_of(each)}", json.dumps(each))
    within = [several(len(objects.of("ConfigMap")), "ConfigMap"), several(len(objects.of("Pod")), "pod")]
    yield f"{several(len(objects.items), 'object')} ({', '.join(within)})"
    names = set()
    for name, text in cluster.logs(there, objects.of("Pod")):
        seeker.seek(f"the log of {name}", text)
        names.add(name)
    yield several(len(names), "log")


def in_docker(names: Sequence[str], seeker: Seeker) -> Iterator[str]:
    """Look in the logs of containers; yield the kind of place. Raises TaskError."""
    for name in names:
        seeker.seek(f"the log of {name}", docker.log(name, LOG_LINES))
    yield several(len(names), "log")


def in_files(seeker: Seeker) -> Iterator[str]:
    """Look in the files that we wrote and in those that git tracks; yield each kind of place."""
    kinds: Mapping[str, list[Path]] = {
        "files of .state": [path for path in STATE.rglob("*") if path.is_file()] if STATE.is_dir() else [],
        "files that git tracks": [path for path in repository.tracked() if path.is_file() and path != ENV],
    }
    for kind, paths in kinds.items():
        for path in paths:
            with path.open("rb") as file:
                seeker.seek_in(str(path.relative_to(ROOT)), file)
        if paths:  # git may tell of none
            yield f"{len(paths)} {kind}"

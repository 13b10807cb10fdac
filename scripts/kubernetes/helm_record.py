"""Helm's own record of a release: the Secrets in which it keeps each revision (helm:pkg/storage/driver/secrets.go)."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from typing import Any

from scripts.core.errors import TaskError
from scripts.kubernetes.cluster import Cluster

Record = dict[str, Any]
"""A revision: its `version`, `info`, `manifest` and `config`, the values that it was given."""
_READ: dict[tuple[str, str], Record] = {}
"""What was read, by the Secret's uid and version."""


def read(cluster: Cluster) -> list[Record] | None:
    """Return the release's revisions, oldest first; None where the run keeps no connection, or helm keeps them elsewhere.

    One that has not changed since it was read is not read again: with its chart and values it may be large.
    Raises CommandError, and TaskError for one that nobody can read.
    """
    if os.environ.get("HELM_DRIVER", "secret") not in ("", "secret", "secrets"):
        return None
    found = cluster.metadata("secrets", f"owner=helm,name={cluster.release}")
    if found is None:
        return None
    records = [_read(cluster, each["name"], each["uid"], each["resourceVersion"]) for each in found]
    return sorted(filter(None, records), key=lambda record: int(record["version"]))


def _read(cluster: Cluster, name: str, uid: str, version: str) -> Record | None:
    if (uid, version) not in _READ:
        found = cluster.get("secret", name)
        if not found:
            return None
        try:
            _READ[uid, version] = decoded(found[0]["data"]["release"])
        except (ValueError, KeyError, EOFError, OSError, zlib.error) as error:
            raise TaskError(
                f"helm's record of {cluster.release} in Secret {name} is damaged: helm takes that revision for none, and can make no other",
                f"kubectl --context {cluster.context} --namespace {cluster.namespace} delete secret {name}, then invoke up",
                [f"{type(error).__name__}: {error}"],
                code="helm-record-damaged",
            ) from None
    return _READ[uid, version]


def decoded(text: str) -> Record:
    """Return the record in the data of one of helm's Secrets: compressed, encoded by helm, encoded once more by Kubernetes."""
    record: Record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(text))))
    return record

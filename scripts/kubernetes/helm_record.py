"""Helm's own record of a release: the Secrets in which it keeps each revision (helm:pkg/storage/driver/secrets.go)."""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import TaskError
from scripts.kubernetes.cluster import Cluster

Content = dict[str, Any]
"""What helm keeps of a revision: its `version`, `info`, `manifest` and `config`, the values that it was given."""
_READ: dict[tuple[str, str], Content] = {}
"""What was read, by the Secret's uid and version."""


@dataclass(frozen=True)
class Record:
    """A revision's Secret. Its labels tell the number and the status; its content, which may be large, is read when it is needed."""

    cluster: Cluster
    metadata: Mapping[str, Any]

    @property
    def number(self) -> int:
        """The revision."""
        return int(self.metadata["labels"]["version"])

    @property
    def status(self) -> str:
        """Helm's word for its state."""
        return str(self.metadata["labels"]["status"])

    def description(self) -> str:
        """Return what it was installed with the description of. Raises as `content` does."""
        return str(self.content().get("info", {}).get("description", ""))

    def content(self) -> Content:
        """Return it whole; nothing where the Secret is gone by now. One that has not changed since it was read is not read again.

        Raises CommandError, and TaskError for one that nobody can read.
        """
        name, key = self.metadata["name"], (self.metadata["uid"], self.metadata["resourceVersion"])
        if key not in _READ:
            found = self.cluster.get("secret", name)
            if not found:
                return {}
            try:
                _READ[key] = decoded(found[0]["data"]["release"])
            except (ValueError, KeyError, EOFError, OSError, zlib.error) as error:
                raise _damaged(self.cluster, name, error) from None
        return _READ[key]


def read(cluster: Cluster) -> list[Record] | None:
    """Return the release's revisions, oldest first; None where the run keeps no connection, or helm keeps them elsewhere.

    Raises CommandError.
    """
    if os.environ.get("HELM_DRIVER", "secret") not in ("", "secret", "secrets"):
        return None
    found = cluster.metadata("secrets", f"owner=helm,name={cluster.release}")
    return None if found is None else sorted((Record(cluster, each) for each in found), key=lambda record: record.number)


def _damaged(cluster: Cluster, name: str, error: Exception) -> TaskError:
    cause = f"helm's record of {cluster.release} in Secret {name} is damaged: helm takes that revision for none, and can make no other"
    action = f"kubectl --context {cluster.context} --namespace {cluster.namespace} delete secret {name}, then invoke up"
    return TaskError(cause, action, [f"{type(error).__name__}: {error}"], code="helm-record-damaged")


def decoded(text: str) -> Content:
    """Return the record in the data of one of helm's Secrets: compressed, encoded by helm, encoded once more by Kubernetes."""
    content: Content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(text))))
    return content

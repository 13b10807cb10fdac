"""A Secret, a ConfigMap or a key in one that is not there: said by the kubelet of a mount and of a container alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scripts.kubernetes.diagnosis.cause import Diagnosis, diagnosed

if TYPE_CHECKING:
    from scripts.kubernetes.api import Object


MISSING = (
    # (message, code, what is missing, what to do)
    (r"couldn't find key (?P<key>\S+) in Secret \S*?/?(?P<name>[\w.-]+)$", "secret-key-missing", "key {key} of Secret {name}",
     "add {key} to .env (and to the service's secrets in invoke.yaml), then invoke up"),
    (r"secret \"(?P<name>[^\"]+)\" not found", "secret-missing", "Secret {name}", "invoke up makes it from .env"),
    (r"couldn't find key (?P<key>\S+) in ConfigMap \S*?/?(?P<name>[\w.-]+)$", "configmap-key-missing",
     "key {key} of ConfigMap {name}", "add the key to the ConfigMap {name}"),
    (r"configmap \"(?P<name>[^\"]+)\" not found", "configmap-missing", "ConfigMap {name}", "create the ConfigMap {name}"),
    (r"references non-existent secret key: (?P<key>\S+)", "secret-key-missing", "key {key} of a Secret that is mounted",
     "add {key} to the Secret"),
    (r"references non-existent config key: (?P<key>\S+)", "configmap-key-missing", "key {key} of a ConfigMap that is mounted",
     "add {key} to the ConfigMap"),
)  # fmt: skip


def missing_object(workload: Object, message: str, evidence: Sequence[str]) -> Diagnosis | None:
    """Tell from the kubelet's message what is missing; None when the message is about something else."""
    for pattern, code, what, action in MISSING:
        if match := re.search(pattern, message):
            names = match.groupdict()
            return diagnosed(workload, code, f"{what.format(**names)} does not exist", evidence, action.format(**names))
    return None

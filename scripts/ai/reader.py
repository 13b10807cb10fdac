"""Whom the API server takes an assistant for: a ServiceAccount that may look, by a token that ends soon, in a kubeconfig of its own."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.core.errors import TaskError
from scripts.core.paths import ROOT
from scripts.core.redaction import redact
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.deployment import Deployment

MANIFEST = ROOT / "ai/ask/reader.yaml"
NAME = "assistant"
TOKEN_MINUTES = 10
LOOKING = {"get", "list", "watch"}
ABOUT_ITSELF = {"authorization.k8s.io", "authentication.k8s.io"}
"""What everybody may ask of the API server about their own rights."""


def manifests(namespace: str, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the ServiceAccount, the Role and the RoleBinding for a namespace."""
    objects = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
    for each in objects:
        each["metadata"] |= {"namespace": namespace, "labels": dict(labels)}
        for subject in each.get("subjects", ()):
            subject["namespace"] = namespace
    return objects


@contextlib.contextmanager
def reader(deployment: Deployment) -> Iterator[Path]:
    """Yield a private folder with a `kubeconfig` in it for the assistant, while the block runs.

    Raises TaskError where the assistant cannot be made, or could do more than look.
    """
    cluster = deployment.cluster
    listed = {"apiVersion": "v1", "kind": "List", "items": manifests(cluster.namespace, deployment.namespace.labels)}
    cluster.apply(json.dumps(listed))
    token = cluster.kubectl("create", "token", NAME, f"--duration={TOKEN_MINUTES}m", logged=False).stdout.strip()
    redact.learn(token)
    with tempfile.TemporaryDirectory(prefix="todo-ask-") as folder:  # for its owner alone
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(_kubeconfig(cluster, token)), encoding="utf-8")
        _refuse_more_than_looking(_as_reader(cluster, kubeconfig))
        yield Path(folder)


def _kubeconfig(cluster: Cluster, token: str) -> dict[str, Any]:
    """A kubeconfig with the cluster's address and certificate, as the user's has them, and nothing of the user's own."""
    argv = ("config", "view", "--minify", "--flatten", "--raw", "--output", "json")
    server = json.loads(cluster.kubectl(*argv, logged=False).stdout)["clusters"][0]["cluster"]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": server}],
        "users": [{"name": NAME, "user": {"token": token}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": cluster.namespace}}],
        "current-context": NAME,
    }


def _as_reader(cluster: Cluster, kubeconfig: Path) -> Cluster:
    return Cluster(NAME, cluster.namespace, cluster.release, kubeconfig, cluster.environment)


def _refuse_more_than_looking(cluster: Cluster) -> None:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": cluster.namespace}}
    answer = cluster.kubectl("create", "--filename", "-", "--output", "json", "--validate=false", input=json.dumps(review)).stdout
    if found := beyond_looking(json.loads(answer)["status"]["resourceRules"]):
        raise TaskError(
            f"the ServiceAccount {NAME} may do more than look in {cluster.namespace}, so nothing was asked",
            "see which role gives it that: kubectl get rolebindings,clusterrolebindings --all-namespaces --output wide",
            found,
            code="assistant-not-confined",
        )


def beyond_looking(rules: Sequence[Mapping[str, Sequence[str]]]) -> list[str]:
    """Return what of the rules of an identity goes beyond looking at what is not secret, a line each."""
    found = []
    for rule in rules:
        groups, resources = set(rule.get("apiGroups") or ()), set(rule.get("resources") or ())
        if groups <= ABOUT_ITSELF:
            continue
        secret = {"*", "secrets"} & resources and {"", "*"} & groups
        if secret or not set(rule["verbs"]) <= LOOKING:
            found.append(f"{', '.join(rule['verbs'])}: {', '.join(sorted(resources))}")
    return found

"""Whether kube-proxy does its work on each node: one that stands still leaves Services where they led, pods that have gone among them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from scripts.core.errors import TaskError
from scripts.core.shell import CommandError
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.kubernetes.objects import name_of

PORT = 10256
"""Of its health check (kube-proxy's `--healthz-bind-address`)."""
SECONDS = 6.0
AT_ONCE = 8
NOT_THERE = "error trying to reach service"
"""What the API server says where nothing listens: another program does the work there, or it listens elsewhere."""
UNHEALTHY = "unable to handle the request"


def silent(cluster: Cluster, *, at_most: int | None = None) -> list[Diagnosis]:
    """Return a cause for each node whose kube-proxy does not answer its health check, or says that it is behind.

    at_most: of a cluster with more nodes, none is asked.
    """
    try:
        nodes = [name_of(node) for node in cluster.get("nodes")]
    except TaskError:  # whoever may not see nodes
        return []
    if at_most is not None and len(nodes) > at_most:
        return []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        told = dict(zip(nodes, pool.map(lambda node: _told(cluster, node), nodes), strict=True))
    return [_cause(node, what) for node, what in told.items() if what]


def _told(cluster: Cluster, node: str) -> str:
    """What is wrong with it; an empty string where nothing is, or nobody can know."""
    try:
        answer = cluster.kubectl("get", "--raw", f"/api/v1/nodes/{node}:{PORT}/proxy/healthz", timeout=SECONDS, ok=None)
    except CommandError as error:
        return f"its health check does not answer within {SECONDS:.0f} s" if error.code == "command-timed-out" else ""
    except TaskError:
        return ""
    wrong = answer.code and UNHEALTHY in answer.stderr and NOT_THERE not in answer.stderr
    return "its health check says that it is behind" if wrong else ""


def _cause(node: str, what: str) -> Diagnosis:
    return Diagnosis(
        "network-down",
        node,
        f"{node}: kube-proxy does not follow what Services lead to: {what}",
        (f"node {node}, port {PORT}: {what}",),
        "start it again, with kubectl --namespace kube-system delete pod NAME of these: "
        "kubectl --namespace kube-system get pods --selector k8s-app=kube-proxy --output wide; "
        "restart nothing of the app before: a new pod gets no requests",
    )

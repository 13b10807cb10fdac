"""Programs that are run in a running pod, beside its own."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.core.shell import Result
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.pods import PodState

EXECUTE_SECONDS = 90


def execute(cluster: Cluster, pod: PodState, argv: Sequence[str], given: str) -> Result:
    """Run a program in the service's container, with this standard input; return its exit code and what it wrote. Raises TaskError."""
    command = ("exec", "--stdin", pod.name, "--container", pod.service, "--", *argv)
    return cluster.kubectl(*command, input=given, timeout=EXECUTE_SECONDS, ok=None, logged=False)

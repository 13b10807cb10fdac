"""What happens in a running pod: programs that are run beside its own, and the lines that it writes from now on."""

from __future__ import annotations

import http.client
import urllib.parse
from collections.abc import Iterator, Sequence

from scripts.core.errors import TaskError
from scripts.core.redaction import redact
from scripts.core.shell import Result
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.pods import PodState

EXECUTE_SECONDS = 90
LONGEST_SILENCE_SECONDS = 3600.0


def execute(cluster: Cluster, pod: PodState, argv: Sequence[str], given: str) -> Result:
    """Run a program in the service's container, with this standard input; return its exit code and what it wrote. Raises TaskError."""
    command = ("exec", "--stdin", pod.name, "--container", pod.service, "--", *argv)
    return cluster.kubectl(*command, input=given, timeout=EXECUTE_SECONDS, ok=None, logged=False)


def follow(cluster: Cluster, pod: PodState, *, whole: bool) -> Iterator[str]:
    """Yield the lines that the service's container writes until it ends, from now on, or from its start (whole).

    Raises TaskError where they cannot be read.
    """
    connect = cluster.connection()
    if connect is None:
        raise TaskError(f"the log of {pod.name} cannot be followed", "invoke doctor", code="cluster-silent")
    since = {} if whole else {"tailLines": "0"}
    query = urllib.parse.urlencode({"container": pod.service, "follow": "true", **since})
    connection = connect(LONGEST_SILENCE_SECONDS)
    try:
        connection.request("GET", f"/api/v1/namespaces/{cluster.namespace}/pods/{pod.name}/log?{query}")
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise TaskError(
                f"the log of {pod.name} cannot be followed", "invoke status", [answer.read().decode()[:200]], code="cluster-silent"
            )
        while line := answer.readline():
            yield redact(line.decode(errors="replace").rstrip("\r\n"))
    except (OSError, http.client.HTTPException) as error:
        raise TaskError(f"the log of {pod.name} ended", "invoke status", [str(error)], code="cluster-silent") from None
    finally:
        connection.close()

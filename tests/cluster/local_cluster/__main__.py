"""`python -m tests.cluster.local_cluster up [--nodes 3] | down | status`."""

from __future__ import annotations

import argparse
import sys
import time

from scripts.core.errors import TaskError
from tests.cluster.local_cluster.cluster import LocalCluster


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.local_cluster", description="A Kubernetes for tests.")
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--nodes", type=int, default=1, help="at least so many, with `up`")
    given = parser.parse_args()
    command = given.command
    cluster = LocalCluster()
    started = time.monotonic()
    try:
        if command == "up":
            cluster.up(lambda text: print(f"{time.monotonic() - started:5.1f} s  {text}", file=sys.stderr), given.nodes)
            print(f"export KUBECONFIG={cluster.layout.kubeconfig} NO_PROXY={cluster.layout.node_ip}")
        elif command == "down":
            cluster.down()
        else:
            for name, state in cluster.status().items():
                print(f"{name}: {state}")
            return 0 if cluster.is_up else 1
    except TaskError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where the cluster lives: folders, names and addresses. Nothing else on a machine should have these."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


def _server_binaries() -> Path:
    return Path(os.environ.get("KUBE_SERVER_BIN") or Path.home() / ".cache" / "kube-server")


@dataclass(frozen=True)
class Layout:
    """Names, folders and addresses of one cluster."""

    name: str = "todo-test"
    node: str = "todo-test"
    bin: Path = field(default_factory=_server_binaries)
    state: Path = Path("/var/lib/todo-test-cluster")
    run: Path = Path("/run/todo-test-cluster")
    host_ip: str = "10.213.0.1"
    node_ip: str = "10.213.0.2"
    link: str = "10.213.0.0/30"
    pods: str = "10.214.0.0/24"
    services: str = "10.215.0.0/16"
    api_service_ip: str = "10.215.0.1"
    dns_ip: str = "10.215.0.10"
    bridge: str = "pods0"

    @property
    def netns(self) -> Path:
        """The network namespace, as `ip netns` names it."""
        return Path("/run/netns") / self.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where the node's containerd listens."""
        return self.run / "containerd.sock"

    @property
    def server(self) -> str:
        """The API server's URL, for this machine too."""
        return f"https://{self.node_ip}:6443"

    @property
    def pki(self) -> Path:
        """The folder of keys and certificates."""
        return self.state / "pki"

    def has(self, program: str) -> bool:
        """Return whether the folder of server binaries has this program."""
        return os.access(self.bin / program, os.X_OK)

"""Where the cluster lives: folders, names and addresses. Nothing else on a machine should have these."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


def _server_binaries() -> Path:
    return Path(os.environ.get("KUBE_SERVER_BIN") or Path.home() / ".cache" / "kube-server")


@dataclass(frozen=True)
class NodeLayout:
    """Names, folders and addresses of one node."""

    name: str
    ip: str
    gateway: str
    """The other end of its link: this machine's for the first node, the first node's for the others."""
    pods: str
    """The addresses of its pods."""
    state: Path
    run: Path
    containerd_socket: Path
    """Where its containerd listens."""

    @property
    def netns(self) -> Path:
        """Its network namespace, as `ip netns` names it."""
        return Path("/run/netns") / self.name


@dataclass(frozen=True)
class Layout:
    """Names, folders and addresses of one cluster."""

    name: str = "todo-test"
    bin: Path = field(default_factory=_server_binaries)
    state: Path = Path("/var/lib/todo-test-cluster")
    run: Path = Path("/run/todo-test-cluster")
    host_ip: str = "10.213.0.1"
    node_ip: str = "10.213.0.2"
    nodes: str = "10.213.0.0/16"
    link: str = "10.213.0.0/30"
    pods: str = "10.214.0.0/16"
    services: str = "10.215.0.0/16"
    api_service_ip: str = "10.215.0.1"
    dns_ip: str = "10.215.0.10"
    bridge: str = "pods0"

    def node(self, number: int = 1) -> NodeLayout:
        """Return a node's layout; the first one has the control plane beside it."""
        pods = f"10.214.{number - 1}.0/24"
        if number == 1:
            return NodeLayout(self.name, self.node_ip, self.host_ip, pods, self.state, self.run, self.containerd_socket)
        state, run, socket = self.state / f"node-{number}", self.run / f"node-{number}", self.run / f"containerd-{number}.sock"
        return NodeLayout(f"{self.name}-{number}", f"10.213.{number}.2", f"10.213.{number}.1", pods, state, run, socket)

    def further_nodes(self) -> list[int]:
        """Return the numbers of the nodes beside the first that were made."""
        return sorted(int(folder.name.removeprefix("node-")) for folder in self.state.glob("node-*"))

    @property
    def sockets(self) -> Path:
        """A pattern of the places where the nodes' containerds listen."""
        return self.run / "containerd*.sock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where the first node's containerd listens."""
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

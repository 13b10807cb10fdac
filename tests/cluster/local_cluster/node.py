"""One node: its containerd, kubelet and kube-proxy, in a network namespace and a cgroup of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.cluster.local_cluster import busybox, certificates, cgroups, images, network
from tests.cluster.local_cluster.daemons import Daemons, wait_until
from tests.cluster.local_cluster.layout import Layout

CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
PROGRAMS = ("containerd", "kubelet", "kube-proxy")
SANDBOX_IMAGE = "docker.io/local-cluster/pause:1"
# The sandbox's process holds the pod's namespaces, ends when it is told to, and leaves no zombie behind.
SANDBOX_COMMAND = ("/bin/busybox", "sh", "-c", "trap 'exit 0' TERM INT; while :; do busybox sleep 1000000 & wait $!; done")
ANSWER_SECONDS = 90.0


class Node:
    """A node of a cluster, by its number; the first has the control plane beside it."""

    def __init__(self, layout: Layout, number: int = 1) -> None:
        self._layout = layout
        self.layout = layout.node(number)
        self.daemons = Daemons(self.layout.state, self.layout.netns)

    def prepare(self) -> None:
        """Make its cgroup, certificate and settings; its network is there."""
        for folder in (self.layout.state, self.layout.run):
            folder.mkdir(parents=True, exist_ok=True)
        cgroups.create(self.layout.name)
        user = certificates.create_of_node(self._layout, self.layout)
        certificates.write_kubeconfig(self._layout, self.layout.state / "kubelet.kubeconfig", user)
        cni = self.layout.state / "cni"
        cni.mkdir(exist_ok=True)
        _write(cni / "10-pods.conflist", {"cniVersion": "0.4.0", "name": self._layout.name, "plugins": self._network_plugins()})
        (self.layout.state / "containerd.toml").write_text(self._containerd_settings(cni), encoding="utf-8")
        _write(self.layout.state / "kubelet.yaml", self._kubelet_settings(user))

    def _network_plugins(self) -> list[dict[str, object]]:
        addresses = {
            "type": "host-local",
            "dataDir": str(self.layout.state / "addresses"),
            "ranges": [[{"subnet": self.layout.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {"type": "bridge", "bridge": self._layout.bridge, "isGateway": True, "hairpinMode": True, "ipam": addresses}
        return [{**bridge, "mtu": network.mtu_of_way_out()}, {"type": "portmap", "capabilities": {"portMappings": True}}]

    def _containerd_settings(self, cni: Path) -> str:
        return f"""version = 2
root = "{self.layout.state}/containerd"
state = "{self.layout.run}/containerd"
[grpc]
  address = "{self.layout.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX_IMAGE}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true  # where CAP_SYS_RESOURCE is missing, no process can be protected more than we are
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni_folder()}"
    conf_dir = "{cni}"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{self._layout.state}/registries"
"""

    def _kubelet_settings(self, certificate: str) -> dict[str, object]:
        pki = self._layout.pki
        settings: dict[str, object] = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.layout.name}",
            "failSwapOn": False,
            "clusterDNS": [self._layout.dns_ip],
            "clusterDomain": "cluster.local",
            "podLogsDir": str(self.layout.state / "pod-logs"),  # another kubelet would clear away what is not its own
            "containerRuntimeEndpoint": f"unix://{self.layout.containerd_socket}",
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(pki / "ca.crt")}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(pki / f"{certificate}.crt"),
            "tlsPrivateKeyFile": str(pki / f"{certificate}.key"),
            # A developer's machine may be nearly full, and images that tests loaded cannot be pulled again.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "serializeImagePulls": False,
        }
        return settings if cgroups.unified() else {**settings, "failCgroupV1": False}

    def start_containerd(self) -> None:
        """Start it; it needs nothing of the cluster."""
        self.daemons.start("containerd", ["containerd", "--config", str(self.layout.state / "containerd.toml")])

    def start(self) -> None:
        """Start what makes it a node. The API server is there."""
        layout, socket = self.layout, self.layout.containerd_socket
        self.wait(
            f"containerd of {layout.name} answers", lambda: socket.exists() and bool(images.ctr(socket, "version", ok=None)), "containerd"
        )
        program = busybox.find(self._layout).read_bytes
        self.load(SANDBOX_IMAGE, lambda: images.static_image(SANDBOX_IMAGE, {"bin/busybox": program()}, SANDBOX_COMMAND))
        self._start(
            "kubelet",
            f"--config={layout.state}/kubelet.yaml",
            f"--kubeconfig={layout.state}/kubelet.kubeconfig",
            f"--hostname-override={layout.name}",
            f"--node-ip={layout.ip}",
            f"--root-dir={layout.state}/kubelet",
        )
        self._start(
            "kube-proxy",
            f"--kubeconfig={self._layout.kubeconfig}",
            f"--hostname-override={layout.name}",
            f"--cluster-cidr={self._layout.pods}",
            "--proxy-mode=iptables",
            "--conntrack-max-per-core=0",
        )

    def load(self, image: str, make: Callable[[], bytes]) -> None:
        """Put an image on the node, unless it is there."""
        if not images.has(self.layout.containerd_socket, image):
            images.load_archive(self.layout.containerd_socket, make())

    def wait(self, what: str, holds: Callable[[], bool], daemon: str) -> None:
        """Wait until something holds. Raises TaskError with what has stopped, and the last lines of the program that it depends on."""

        def evidence() -> list[str]:
            return [*(f"{name} has stopped" for name in self.daemons.stopped()), *self.daemons.last_lines(daemon)]

        wait_until(ANSWER_SECONDS, what, holds, evidence)

    def stop(self) -> None:
        """End its programs and containers, and take its cgroup away."""
        for name in ("kube-proxy", "kubelet"):
            self.daemons.stop(name)
        socket = self.layout.containerd_socket
        if self.daemons.running("containerd"):
            for task in images.ctr(socket, "tasks", "ls", "-q", ok=None).split():
                images.ctr(socket, "tasks", "kill", "--signal", "KILL", task, ok=None)
            for task in images.ctr(socket, "tasks", "ls", "-q", ok=None).split():
                images.ctr(socket, "tasks", "rm", "--force", task, ok=None)
        self.daemons.stop("containerd")
        _end_shims(socket)
        cgroups.remove(self.layout.name)

    def _start(self, name: str, *flags: str) -> None:
        self.daemons.start(name, [str(self._layout.bin / name), *flags])


def _end_shims(socket: Path) -> None:
    """End the shims that outlived containerd: each names its socket on its command line."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            arguments = (process / "cmdline").read_bytes().split(b"\0")
            if b"containerd-shim" in arguments[0] and str(socket).encode() in arguments:
                os.kill(int(process.name), signal.SIGKILL)


def cni_folder() -> Path | None:
    """Return where the CNI plugins are; None where there are none."""
    return next((Path(folder) for folder in CNI_FOLDERS if (Path(folder) / "bridge").exists()), None)


def _write(path: Path, value: object) -> None:
    with contextlib.suppress(FileNotFoundError):
        if json.loads(path.read_text(encoding="utf-8")) == value:
            return
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")

"""Brings the cluster up, and takes it away. Each step leaves alone what is there already, so `up` can be run again."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import string
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from scripts.core import shell
from scripts.core.errors import MissingError, TaskError
from tests.cluster.local_cluster import certificates, images, network
from tests.cluster.local_cluster.layout import Layout
from tests.cluster.local_cluster.node import CNI_FOLDERS, PROGRAMS, Node, cni_folder

SERVER_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
MACHINE_PROGRAMS = ("etcd", "containerd", "ctr", "runc", "iptables", "ip", "nsenter", "sysctl", "umount", "openssl")
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
POLICY_ENGINE = "kube-network-policies"
ADD_ONS = (POLICY_ENGINE, "coredns", "metrics-server")
MANIFESTS = Path(__file__).with_name("manifests")
VOLUMES = 40
"""Of the first node."""
FURTHER_VOLUMES = 5
"""Of each of the others."""


class LocalCluster:
    """The cluster of a layout."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()
        self._first = Node(self.layout)
        self._daemons = self._first.daemons

    def lacks(self) -> list[str]:
        """Return what this machine lacks, a line each; nothing when the cluster can be brought up."""
        layout = self.layout
        missing = [] if os.geteuid() == 0 else ["it needs root"]
        programs = [p for p in SERVER_PROGRAMS if not layout.has(p)]
        if programs:
            missing.append(f"no {', '.join(programs)} in {layout.bin} (KUBE_SERVER_BIN names the folder)")
        if programs := [p for p in MACHINE_PROGRAMS if not shutil.which(p)]:
            missing.append(f"not installed: {', '.join(programs)}")
        if cni_folder() is None:
            missing.append(f"no CNI plugins in {' or '.join(CNI_FOLDERS)} (Debian: containernetworking-plugins)")
        return missing

    @property
    def enforces_policies(self) -> bool:
        """Whether a policy engine is among the server binaries."""
        return self.layout.has(POLICY_ENGINE)

    @property
    def is_up(self) -> bool:
        """Whether the API server answers that it is ready."""
        return self.layout.kubeconfig.exists() and self._kubectl("get", "--raw", "/readyz", ok=None).code == 0

    @property
    def nodes(self) -> list[Node]:
        """The first node, and the others that were made."""
        return [self._first, *(Node(self.layout, number) for number in self.layout.further_nodes())]

    def status(self) -> dict[str, str]:
        """Return the state of each program."""
        programs = [(name, self._daemons, name) for name in ("etcd", *CONTROL_PLANE)]
        programs += [(f"{name} of {node.layout.name}", node.daemons, name) for node in self.nodes for name in PROGRAMS]
        return {title: "running" if daemons.running(name) else "stopped" for title, daemons, name in programs}

    def up(self, say: Callable[[str], None], nodes: int = 1) -> None:
        """Bring the cluster up with at least so many nodes; come back when they are ready and its add-ons are available.

        Raises MissingError when this machine lacks something, TaskError when a part does not come up.
        """
        if lacks := self.lacks():
            raise MissingError("no cluster can be started on this machine", "", lacks)
        say("network, keys and settings")
        self.layout.state.mkdir(parents=True, exist_ok=True)
        network.create(self.layout)
        certificates.create(self.layout)
        certificates.write_kubeconfig(self.layout, self.layout.kubeconfig, "admin")
        self._first.prepare()
        for number in sorted({*range(2, nodes + 1), *self.layout.further_nodes()}):
            network.join(self.layout, self.layout.node(number))
            Node(self.layout, number).prepare()
        say("control plane")
        self._start_control_plane()
        say(f"{len(self.nodes)} node{'s' if nodes > 1 else ''}")
        self._start_nodes()
        say("volumes and add-ons")
        self._create_volumes()
        self._install_add_ons()
        for name in (name for name in ADD_ONS if not self.layout.has(name)):
            say(
                f"without {name}, which is not in {self.layout.bin}{': nothing enforces network policies' if name == POLICY_ENGINE else ''}"
            )

    def _start_control_plane(self) -> None:
        layout, pki = self.layout, self.layout.pki
        etcd, admin = "http://127.0.0.1:2379", str(layout.kubeconfig)
        self._daemons.start(
            "etcd", ["etcd", "--data-dir", str(layout.state / "etcd"), "--listen-client-urls", etcd, "--advertise-client-urls", etcd]
        )
        self._start(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            f"--advertise-address={layout.node_ip}",
            f"--service-cluster-ip-range={layout.services}",
            f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--service-account-key-file={pki}/sa.pub",
            f"--service-account-signing-key-file={pki}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged",
            "--enable-admission-plugins=NodeRestriction",
            "--enable-aggregator-routing",
            f"--kubelet-client-certificate={pki}/admin.crt",
            f"--kubelet-client-key={pki}/admin.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki}/ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki}/front-proxy.crt",
            f"--proxy-client-key-file={pki}/front-proxy.key",
        )
        for node in self.nodes:
            node.start_containerd()
        self._first.wait("the API server is ready", lambda: self.is_up, "kube-apiserver")
        self._start(
            "kube-controller-manager",
            f"--kubeconfig={admin}",
            f"--authentication-kubeconfig={admin}",
            f"--authorization-kubeconfig={admin}",
            f"--service-account-private-key-file={pki}/sa.key",
            f"--root-ca-file={pki}/ca.crt",
            "--use-service-account-credentials",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            "--leader-elect=false",
        )
        self._start("kube-scheduler", f"--kubeconfig={admin}", "--leader-elect=false")

    def _start_nodes(self) -> None:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait(f"{node.layout.name} is Ready", partial(self._is_ready, node.layout.name), "kubelet")

    def _is_ready(self, node: str) -> bool:
        path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        return self._kubectl("get", "node", node, "--output", path, ok=None).stdout == "True"

    def _create_volumes(self) -> None:
        """Make the volumes that are not there; those that nobody claims any more are emptied and made again."""
        self._apply("storage.yaml")
        there = json.loads(self._kubectl("get", "persistentvolumes", "--output", "json").stdout)["items"]
        phases = {volume["metadata"]["name"]: volume.get("status", {}).get("phase") for volume in there}
        left = [name for name, phase in phases.items() if phase == "Released"]
        if left:
            self._kubectl("delete", "persistentvolume", *left)
        wanted = {f"local-{number:02}": self._first for number in range(1, VOLUMES + 1)}
        wanted |= {f"{each.layout.name}-{number}": each for each in self.nodes[1:] for number in range(1, FURTHER_VOLUMES + 1)}
        missing = {name: node for name, node in wanted.items() if name not in phases or name in left}
        for name in missing:
            shutil.rmtree(self._folder(name), ignore_errors=True)
            self._folder(name).mkdir(parents=True)
        if missing:
            items = [_volume(name, self._folder(name), node.layout.name) for name, node in missing.items()]
            self._kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def _folder(self, volume: str) -> Path:
        return self.layout.state / "volumes" / volume

    def _install_add_ons(self) -> None:
        there = [name for name in ADD_ONS if self.layout.has(name)]
        for name in there:
            image = f"docker.io/local-cluster/{name}:1"
            for node in self.nodes if name == POLICY_ENGINE else [self._first]:
                node.load(image, partial(self._image, image, name))
            self._apply(f"{name}.yaml")
        for name in there:
            self._first.wait(f"{name} is available", partial(self._is_available, name), "kubelet")
        for node in self.nodes if POLICY_ENGINE in there else ():
            network.queue_new_connections(self.layout, node.layout)
            node.wait(
                f"network policies are enforced on {node.layout.name}: somebody judges the queued packets",
                partial(network.queue_has_reader, node.layout),
                "kubelet",
            )

    def _image(self, image: str, name: str) -> bytes:
        return images.static_image(image, {name: (self.layout.bin / name).read_bytes()}, [f"/{name}"])

    def _is_available(self, name: str) -> bool:
        kind, path, wanted = "deployment", "availableReplicas", 1
        if name == POLICY_ENGINE:
            kind, path, wanted = "daemonset", "numberAvailable", len(self.nodes)
        argv = ("get", kind, name, "--namespace", "kube-system", "--output", f"jsonpath={{.status.{path}}}")
        return self._kubectl(*argv, ok=None).stdout == str(wanted)

    @contextlib.contextmanager
    def paused(self, name: str) -> Iterator[None]:
        """Let a program of the cluster stand still while the block runs, as on a machine that has no time for it."""
        self._daemons.signal(name, signal.SIGSTOP)
        try:
            yield
        finally:
            self._daemons.signal(name, signal.SIGCONT)

    def down(self) -> None:
        """Take the cluster away: every program, container, mount, rule and file of it. Twice changes nothing."""
        for node in self.nodes[1:]:
            node.stop()
        for name in CONTROL_PLANE:
            self._daemons.stop(name)
        self._first.stop()
        self._daemons.stop("etcd")
        _unmount(self.layout.state, self.layout.run)
        network.remove(self.layout)
        for folder in (self.layout.state, self.layout.run):
            shutil.rmtree(folder, ignore_errors=True)

    def remove_further_nodes(self) -> None:
        """Take all nodes but the first away, with the volumes on them."""
        for node in self.nodes[1:]:
            self._kubectl("delete", "node", node.layout.name, "--ignore-not-found")
            volumes = [f"{node.layout.name}-{number}" for number in range(1, FURTHER_VOLUMES + 1)]
            self._kubectl("delete", "persistentvolume", "--ignore-not-found", "--wait=false", *volumes)
            node.stop()
            _unmount(node.layout.state, node.layout.run)
            network.leave(node.layout)
            for folder in (node.layout.state, node.layout.run):
                shutil.rmtree(folder, ignore_errors=True)

    def _start(self, name: str, *flags: str) -> None:
        self._daemons.start(name, [str(self.layout.bin / name), *flags])

    def _kubectl(self, *argv: str, input: str | None = None, ok: tuple[int, ...] | None = (0,)) -> shell.Result:  # noqa: A002
        program = [str(self.layout.bin / "kubectl"), "--kubeconfig", str(self.layout.kubeconfig)]
        no_proxy = {"NO_PROXY": self.layout.node_ip, "no_proxy": self.layout.node_ip}
        return shell.run([*program, *argv], timeout=30, input=input, ok=ok, env=no_proxy)

    def _apply(self, manifest: str) -> None:
        known = {"dns_ip": self.layout.dns_ip, "node": self.layout.node().name, "policy_queue": network.POLICY_QUEUE}
        text = string.Template((MANIFESTS / manifest).read_text(encoding="utf-8")).substitute(known)
        self._kubectl("apply", "--server-side", "--filename", "-", input=text)


def _unmount(*folders: Path) -> None:
    """Undo the mounts below folders, the innermost first."""
    ours = tuple(f"{folder}/" for folder in folders)
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    for mount in sorted((m for m in mounts if m.startswith(ours)), reverse=True):
        shell.run(["umount", "--lazy", mount], timeout=10, ok=None)


def _volume(name: str, folder: Path, node: str) -> dict[str, object]:
    host = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "standard",
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [host]}]}},
        },
    }


def explain(error: TaskError) -> str:
    """Return an error as one line, for a test's reason to be skipped."""
    return "; ".join([error.cause, *error.evidence])

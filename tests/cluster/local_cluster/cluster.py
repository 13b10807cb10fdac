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
from tests.cluster.local_cluster import busybox, certificates, cgroups, images, network
from tests.cluster.local_cluster.daemons import Daemons, wait_until
from tests.cluster.local_cluster.layout import Layout

SERVER_PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
MACHINE_PROGRAMS = ("etcd", "containerd", "ctr", "runc", "iptables", "ip", "nsenter", "sysctl", "umount", "openssl")
CNI_FOLDERS = ("/usr/lib/cni", "/opt/cni/bin")
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
STARTED = ("etcd", "containerd", *CONTROL_PLANE, "kubelet", "kube-proxy")
POLICY_ENGINE = "kube-network-policies"
ADD_ONS = (POLICY_ENGINE, "coredns", "metrics-server")
MANIFESTS = Path(__file__).with_name("manifests")
SANDBOX_IMAGE = "docker.io/local-cluster/pause:1"
# The sandbox's process holds the pod's namespaces, ends when it is told to, and leaves no zombie behind.
SANDBOX_COMMAND = ("/bin/busybox", "sh", "-c", "trap 'exit 0' TERM INT; while :; do busybox sleep 1000000 & wait $!; done")
VOLUMES = 40
ANSWER_SECONDS = 90.0


class LocalCluster:
    """The cluster of a layout."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()
        self._daemons = Daemons(self.layout.state, self.layout.netns)

    def lacks(self) -> list[str]:
        """Return what this machine lacks, a line each; nothing when the cluster can be brought up."""
        layout = self.layout
        missing = [] if os.geteuid() == 0 else ["it needs root"]
        programs = [p for p in SERVER_PROGRAMS if not layout.has(p)]
        if programs:
            missing.append(f"no {', '.join(programs)} in {layout.bin} (KUBE_SERVER_BIN names the folder)")
        if programs := [p for p in MACHINE_PROGRAMS if not shutil.which(p)]:
            missing.append(f"not installed: {', '.join(programs)}")
        if _cni_folder() is None:
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

    def status(self) -> dict[str, str]:
        """Return the state of each program."""
        return {name: "running" if self._daemons.running(name) else "stopped" for name in STARTED}

    def up(self, say: Callable[[str], None]) -> None:
        """Bring the cluster up; come back when its node is ready and its add-ons are available.

        Raises MissingError when this machine lacks something, TaskError when a part does not come up.
        """
        if lacks := self.lacks():
            raise MissingError("no cluster can be started on this machine", "", lacks)
        say("network, keys and settings")
        self.layout.state.mkdir(parents=True, exist_ok=True)
        self.layout.run.mkdir(parents=True, exist_ok=True)
        network.create(self.layout)
        cgroups.create(self.layout.name)
        certificates.create(self.layout)
        certificates.write_kubeconfig(self.layout, self.layout.kubeconfig, "admin")
        certificates.write_kubeconfig(self.layout, self.layout.state / "kubelet.kubeconfig", "kubelet")
        self._write_settings()
        say("control plane")
        self._start_control_plane()
        say("node")
        self._start_node()
        say("volumes and add-ons")
        self._create_volumes()
        self._install_add_ons()
        for name in (name for name in ADD_ONS if not self.layout.has(name)):
            say(
                f"without {name}, which is not in {self.layout.bin}{': nothing enforces network policies' if name == POLICY_ENGINE else ''}"
            )

    def _write_settings(self) -> None:
        layout = self.layout
        cni = layout.state / "cni"
        cni.mkdir(exist_ok=True)
        plugins = [
            {
                "type": "bridge",
                "bridge": layout.bridge,
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "mtu": network.mtu_of_way_out(),
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(layout.state / "addresses"),
                    "ranges": [[{"subnet": layout.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ]
        _write(cni / "10-pods.conflist", {"cniVersion": "0.4.0", "name": layout.name, "plugins": plugins})
        (layout.state / "containerd.toml").write_text(
            f"""version = 2
root = "{layout.state}/containerd"
state = "{layout.run}/containerd"
[grpc]
  address = "{layout.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{SANDBOX_IMAGE}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true  # where CAP_SYS_RESOURCE is missing, no process can be protected more than we are
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_cni_folder()}"
    conf_dir = "{cni}"
""",
            encoding="utf-8",
        )
        _write(layout.state / "kubelet.yaml", self._kubelet_settings())

    def _kubelet_settings(self) -> dict[str, object]:
        layout = self.layout
        settings: dict[str, object] = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{layout.name}",
            "failSwapOn": False,
            "clusterDNS": [layout.dns_ip],
            "clusterDomain": "cluster.local",
            "podLogsDir": str(layout.state / "pod-logs"),  # another kubelet would clear away what is not its own
            "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(layout.pki / "ca.crt")}},
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(layout.pki / "kubelet.crt"),
            "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
            # A developer's machine may be nearly full, and images that tests loaded cannot be pulled again.
            "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "serializeImagePulls": False,
        }
        return settings if cgroups.unified() else {**settings, "failCgroupV1": False}

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
        self._daemons.start("containerd", ["containerd", "--config", str(layout.state / "containerd.toml")])
        self._wait("the API server is ready", lambda: self.is_up, "kube-apiserver")
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

    def _start_node(self) -> None:
        layout, socket = self.layout, self.layout.containerd_socket
        self._wait("containerd answers", lambda: socket.exists() and bool(images.ctr(socket, "version", ok=None)), "containerd")
        if not images.has(socket, SANDBOX_IMAGE):
            program = busybox.find(layout).read_bytes()
            images.load_archive(socket, images.static_image(SANDBOX_IMAGE, {"bin/busybox": program}, SANDBOX_COMMAND))
        self._start(
            "kubelet",
            f"--config={layout.state}/kubelet.yaml",
            f"--kubeconfig={layout.state}/kubelet.kubeconfig",
            f"--hostname-override={layout.node}",
            f"--node-ip={layout.node_ip}",
            f"--root-dir={layout.state}/kubelet",
        )
        self._start(
            "kube-proxy",
            f"--kubeconfig={layout.kubeconfig}",
            f"--hostname-override={layout.node}",
            f"--cluster-cidr={layout.pods}",
            "--proxy-mode=iptables",
            "--conntrack-max-per-core=0",
        )
        self._wait("the node is Ready", self._node_is_ready, "kubelet")

    def _node_is_ready(self) -> bool:
        path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        return self._kubectl("get", "node", self.layout.node, "--output", path, ok=None).stdout == "True"

    def _create_volumes(self) -> None:
        """Make the volumes that are not there; those that nobody claims any more are emptied and made again."""
        self._apply("storage.yaml")
        there = json.loads(self._kubectl("get", "persistentvolumes", "--output", "json").stdout)["items"]
        phases = {volume["metadata"]["name"]: volume.get("status", {}).get("phase") for volume in there}
        left = [name for name, phase in phases.items() if phase == "Released"]
        if left:
            self._kubectl("delete", "persistentvolume", *left)
        missing = [name for name in (f"local-{number:02}" for number in range(1, VOLUMES + 1)) if name not in phases or name in left]
        for name in missing:
            shutil.rmtree(self._folder(name), ignore_errors=True)
            self._folder(name).mkdir(parents=True)
        if missing:
            items = [_volume(name, self._folder(name), self.layout.node) for name in missing]
            self._kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    def _folder(self, volume: str) -> Path:
        return self.layout.state / "volumes" / volume

    def _install_add_ons(self) -> None:
        there = [name for name in ADD_ONS if self.layout.has(name)]
        for name in there:
            image = f"docker.io/local-cluster/{name}:1"
            if not images.has(self.layout.containerd_socket, image):
                program = (self.layout.bin / name).read_bytes()
                images.load_archive(self.layout.containerd_socket, images.static_image(image, {name: program}, [f"/{name}"]))
            self._apply(f"{name}.yaml")
        for name in there:
            self._wait(f"{name} is available", partial(self._is_available, name), "kubelet")
        if POLICY_ENGINE in there:
            network.queue_new_connections(self.layout)
            self._wait("network policies are enforced: somebody judges the queued packets", self._policies_are_judged, "kubelet")

    def _policies_are_judged(self) -> bool:
        return network.queue_has_reader(self.layout)

    def _is_available(self, deployment: str) -> bool:
        path = "jsonpath={.status.availableReplicas}"
        return self._kubectl("get", "deployment", deployment, "--namespace", "kube-system", "--output", path, ok=None).stdout == "1"

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
        for name in ("kube-proxy", "kubelet", *CONTROL_PLANE):
            self._daemons.stop(name)
        if self._daemons.running("containerd"):
            socket = self.layout.containerd_socket
            for task in images.ctr(socket, "tasks", "ls", "-q", ok=None).split():
                images.ctr(socket, "tasks", "kill", "--signal", "KILL", task, ok=None)
            for task in images.ctr(socket, "tasks", "ls", "-q", ok=None).split():
                images.ctr(socket, "tasks", "rm", "--force", task, ok=None)
        for name in ("containerd", "etcd"):
            self._daemons.stop(name)
        self._end_shims()
        self._unmount()
        network.remove(self.layout)
        cgroups.remove(self.layout.name)
        for folder in (self.layout.state, self.layout.run):
            shutil.rmtree(folder, ignore_errors=True)

    def _end_shims(self) -> None:
        """End the shims that outlived containerd: each names our socket on its command line."""
        socket = str(self.layout.containerd_socket).encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if b"containerd-shim" in arguments[0] and socket in arguments:
                    os.kill(int(process.name), signal.SIGKILL)

    def _unmount(self) -> None:
        """Undo the mounts below our folders, the innermost first."""
        ours = tuple(f"{folder}/" for folder in (self.layout.state, self.layout.run))
        mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
        for mount in sorted((m for m in mounts if m.startswith(ours)), reverse=True):
            shell.run(["umount", "--lazy", mount], timeout=10, ok=None)

    def _start(self, name: str, *flags: str) -> None:
        self._daemons.start(name, [str(self.layout.bin / name), *flags])

    def _wait(self, what: str, holds: Callable[[], bool], daemon: str) -> None:
        def evidence() -> list[str]:
            stopped = [f"{name} has stopped" for name, state in self.status().items() if state != "running" and self.layout.has(name)]
            return [*stopped, *self._daemons.last_lines(daemon)]

        wait_until(ANSWER_SECONDS, what, holds, evidence)

    def _kubectl(self, *argv: str, input: str | None = None, ok: tuple[int, ...] | None = (0,)) -> shell.Result:  # noqa: A002
        program = [str(self.layout.bin / "kubectl"), "--kubeconfig", str(self.layout.kubeconfig)]
        no_proxy = {"NO_PROXY": self.layout.node_ip, "no_proxy": self.layout.node_ip}
        return shell.run([*program, *argv], timeout=30, input=input, ok=ok, env=no_proxy)

    def _apply(self, manifest: str) -> None:
        known = {"dns_ip": self.layout.dns_ip, "node": self.layout.node, "policy_queue": network.POLICY_QUEUE}
        text = string.Template((MANIFESTS / manifest).read_text(encoding="utf-8")).substitute(known)
        self._kubectl("apply", "--server-side", "--filename", "-", input=text)


def _cni_folder() -> Path | None:
    return next((Path(folder) for folder in CNI_FOLDERS if (Path(folder) / "bridge").exists()), None)


def _write(path: Path, value: object) -> None:
    with contextlib.suppress(FileNotFoundError):
        if json.loads(path.read_text(encoding="utf-8")) == value:
            return
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


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

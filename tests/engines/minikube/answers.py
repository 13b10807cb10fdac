"""What the real Minikube answers, and the command lines that it is asked with."""

from __future__ import annotations

import json

from scripts.config.settings import Settings
from scripts.engines.minikube.profile import start_argv
from tests.programs import Reply

PLATFORM = "linux/amd64"


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy")


PROFILES = ("minikube", "profile", "list", "--light", "--output", "json")


STATUS = ("minikube", "status", "--profile", "todo", "--output", "json")


NODE = {"Name": "todo", "Host": "Running", "Kubelet": "Running", "APIServer": "Running", "Kubeconfig": "Configured", "Worker": False}


RUNNING = Reply(json.dumps(NODE))


STOPPED = Reply(json.dumps({**NODE, "Host": "Stopped", "Kubelet": "Stopped", "APIServer": "Stopped", "Kubeconfig": "Stopped"}), code=7)


def start(settings: Settings) -> tuple[str, ...]:
    return tuple(start_argv("todo", settings.minikube, settings.kubernetes_version))


def profile(settings: Settings, addons: tuple[str, ...] = ("metrics-server",), **changes: object) -> Reply:
    """The profile as these settings make it, beside one of the user's own."""
    wanted = settings.minikube
    kubernetes = {"KubernetesVersion": settings.kubernetes_version, "ContainerRuntime": wanted.runtime, "CNI": wanted.cni}
    config = {"Driver": wanted.driver, "Memory": wanted.memory_mib, "CPUs": wanted.cpus, "DiskSize": wanted.disk_gib * 1024}
    config |= {
        "Addons": dict.fromkeys(addons, True),
        "KubernetesConfig": kubernetes,
        "Nodes": [{"Name": "", "IP": "192.168.49.2"}],
        **changes,
    }
    valid = [{"Name": name, "Status": "Skipped", "Config": config} for name in ("minikube", "todo")]
    return Reply(json.dumps({"invalid": [], "valid": valid}))


NO_PROFILES = Reply('{"invalid":[],"valid":[]}')


def event(kind: str, **data: str) -> str:
    return json.dumps({"specversion": "1.0", "type": f"io.k8s.sigs.minikube.{kind}", "data": data}) + "\n"

"""A profile as Minikube prints it, and as the settings want it. Pure; every shape that its versions are known to have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scripts.config.settings import Minikube
from scripts.machine.known_versions import Version
from scripts.machine.tools import parse_version

NO_PROFILE = 85  # GUEST_NOT_FOUND, mk:pkg/minikube/reason/exitcodes.go
AUTO = "auto"
MOST_CPUS = 4
MOST_MEMORY_MIB = 6144


class State(StrEnum):
    """What the profile is, as far as the next action goes."""

    MISSING = "missing"
    RUNNING = "running"
    PAUSED = "paused"
    STALE_KUBECONFIG = "running, but unknown to our kubeconfig"
    STOPPED = "stopped"
    DOWN = "not running"
    GONE = "without its node, which was removed"
    WORKER_GONE = "without one of its workers, which was removed"
    NO_DISK = "out of disk space"


@dataclass(frozen=True)
class Profile:
    """The configuration of a profile, as Minikube keeps it."""

    name: str
    driver: str
    cpus: int
    memory_mib: int
    disk_mib: int
    kubernetes: str
    runtime: str
    cni: str
    addons: frozenset[str]
    nodes: tuple[str, ...]
    """The names of their containers or machines (mk:pkg/minikube/config/profile.go, MachineName)."""
    unaddressed: tuple[str, ...]
    """Those of them that have never got an address, so that nothing has ever run in them."""


def read_profiles(text: str) -> dict[str, Profile]:
    """Return the valid profiles in the output of `minikube profile list -o json`, by name.

    Raises ValueError when it is not that output: `{"error": …}` (exit code 80) is what an unreadable folder gives.
    """
    answer = json.loads(text)
    if not isinstance(answer, dict) or "valid" not in answer:
        raise ValueError("minikube cannot read its profiles")
    return {entry["Name"]: _profile(entry["Name"], entry["Config"]) for entry in answer["valid"] or () if entry.get("Config")}


def _profile(name: str, config: Mapping[str, Any]) -> Profile:
    kubernetes = config.get("KubernetesConfig") or {}
    nodes: Sequence[Mapping[str, Any]] = config.get("Nodes") or ({},)
    names = [f"{name}-{node['Name']}" if node.get("Name") and len(nodes) > 1 else name for node in nodes]
    return Profile(
        name=name,
        driver=config.get("Driver", ""),
        cpus=int(config.get("CPUs", 0)),
        memory_mib=int(config.get("Memory", 0)),
        disk_mib=int(config.get("DiskSize", 0)),
        kubernetes=kubernetes.get("KubernetesVersion", ""),
        runtime=kubernetes.get("ContainerRuntime", ""),
        cni=kubernetes.get("CNI", ""),
        addons=frozenset(addon for addon, on in (config.get("Addons") or {}).items() if on),
        nodes=tuple(names),
        unaddressed=tuple(node for node, config in zip(names, nodes, strict=True) if not config.get("IP")),
    )


def read_status(code: int, text: str) -> State:
    """Return the state that `minikube status -o json` tells of.

    code: its exit code: bits 1 (host), 2 (API server or kubelet), 4 (kubeconfig); 85 without a profile, where stdout holds events.
    text: an object; an array with several nodes; `null` when the container was removed behind Minikube's back (exit code 0 up to
    1.37, 7 from 1.38 on).
    """
    if code == NO_PROFILE:
        return State.MISSING
    try:
        answer = json.loads(text)
    except ValueError:
        return State.DOWN
    nodes: list[Mapping[str, Any]] = answer if isinstance(answer, list) else [answer] if answer else []
    if not nodes:
        return State.GONE
    return _state_of(nodes)


def _state_of(nodes: Sequence[Mapping[str, Any]]) -> State:
    hosts = {node.get("Host") for node in nodes}
    servers = {node.get("APIServer") for node in nodes}
    if "InsufficientStorage" in hosts:
        return State.NO_DISK
    if hosts == {"Running"} and "Paused" in servers:
        return State.PAUSED
    if hosts == {"Stopped"}:
        return State.STOPPED
    if gone := [node for node in nodes if node.get("Host") == "Nonexistent"]:
        return State.WORKER_GONE if all(node.get("Worker") for node in gone) else State.GONE
    if hosts != {"Running"} or {node.get("Kubelet") for node in nodes} != {"Running"} or not servers <= {"Running", "Irrelevant"}:
        return State.DOWN
    known = all(node.get("Kubeconfig") in ("Configured", "Irrelevant") for node in nodes)
    return State.RUNNING if known else State.STALE_KUBECONFIG


def drift(profile: Profile, wanted: Minikube, kubernetes: str) -> list[str]:
    """Return each way in which a profile differs from the settings that Minikube cannot change in place.

    `minikube start` passes over changed nodes, memory, CPUs and disk with a warning and exit code 0, writes a changed CNI into the
    configuration of a cluster that keeps its old one, and refuses another driver or an older Kubernetes.
    """
    pairs: Sequence[tuple[str, object, object]] = (
        ("driver", profile.driver, wanted.driver),
        ("runtime", profile.runtime, wanted.runtime),
        ("nodes", len(profile.nodes), wanted.nodes),
        ("cpus", profile.cpus, profile.cpus if wanted.cpus == AUTO else wanted.cpus),
        ("memory_mib", profile.memory_mib, profile.memory_mib if wanted.memory_mib == AUTO else wanted.memory_mib),
        ("disk_gib", profile.disk_mib // 1024, wanted.disk_gib),
        ("cni", profile.cni or "auto", wanted.cni or "auto"),
    )
    differences = [f"minikube.{key}: the cluster has {has}, invoke.yaml says {says}" for key, has, says in pairs if has != says]
    if version(profile.kubernetes) > version(kubernetes):
        differences.append(f"kubernetes_version: the cluster has {profile.kubernetes}, invoke.yaml says {kubernetes}, which is older")
    return differences


def sized(wanted: Minikube, there: Profile | None, cpus: int, memory_mib: int) -> Minikube:
    """Return the settings with figures for `auto`: the profile's own, or else what the machine has, up to what the app can use.

    cpus, memory_mib: what there is for all nodes. A quarter of the memory is left to everything else.
    """
    fits = {
        "cpus": there.cpus if there else min(MOST_CPUS, cpus),
        "memory_mib": there.memory_mib if there else min(MOST_MEMORY_MIB, memory_mib * 3 // 4 // wanted.nodes),
    }
    return wanted.model_copy(update={key: value for key, value in fits.items() if getattr(wanted, key) == AUTO})


def version(text: str) -> Version:
    """Return `v1.35.1` as numbers that compare; what is no version is older than all."""
    return parse_version(text) or (0, 0, 0)


def start_argv(profile: str, wanted: Minikube, kubernetes: str) -> list[str]:
    """Return the command line that starts the profile, every setting explicit; `wanted` is sized."""
    return [
        *("minikube", "start", "--profile", profile, "--output", "json", "--interactive=false", "--keep-context", "--embed-certs"),
        f"--driver={wanted.driver}",
        f"--nodes={wanted.nodes}",
        f"--cpus={wanted.cpus}",
        f"--memory={wanted.memory_mib}mb",
        f"--disk-size={wanted.disk_gib * 1024}mb",
        f"--kubernetes-version={kubernetes}",
        f"--container-runtime={wanted.runtime}",
        f"--cni={wanted.cni}",
        f"--addons={','.join(wanted.addons)}",
        "--wait=apiserver,system_pods,default_sa,node_ready,kubelet",
    ]


def unknown_kubernetes(wanted: str, defaults: str) -> str:
    """Return why a Minikube does not do for a Kubernetes, by the output of `minikube config defaults kubernetes-version -o json`.

    Only major and minor count: a patch that is newer than Minikube starts as the one before it. An empty string: it does, or does not tell.
    """
    try:
        known = sorted({version(each)[:2] for each in json.loads(defaults)})
    except (ValueError, TypeError):
        return ""
    if not known or known[0] <= version(wanted)[:2] <= known[-1]:
        return ""
    oldest, newest = (".".join(map(str, each)) for each in (known[0], known[-1]))
    return f"kubernetes_version is {wanted}, and this Minikube knows {oldest} to {newest}"

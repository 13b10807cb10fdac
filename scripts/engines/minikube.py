"""The engine on Minikube: the project's own profile, named like the project, and no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.config.proxies import without_proxy
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.core.shell import CommandError, Result
from scripts.engines import minikube_facts
from scripts.engines.kubernetes import KubernetesEngine, removal
from scripts.engines.minikube_facts import Event, Profile, State
from scripts.images.archive import full_name, write_docker, write_oci
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode, NodeTransport, Writer
from scripts.machine import tool_downloads, tools
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client

KUBECONFIG = ROOT / ".state" / "kubeconfig"
ASK_SECONDS = 60
START_SECONDS = 1200
STOP_SECONDS = 300
LOAD_SECONDS = 600
NODE_NETWORKS = ("192.168.39.0/24", "192.168.49.0/24", "192.168.59.0/24", "10.96.0.0/12")  # mk:site/…/vpn_and_proxy.md
DRIVEN_BY_DOCKER = "docker"
NODE_IMAGE = "kicbase"


class MinikubeEngine(KubernetesEngine):
    """Runs the app in a Minikube profile that it starts, stops and deletes."""

    name = "minikube"
    tools: Sequence[str] = ("docker", "minikube", "kubectl", "helm")

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is asked yet."""
        proxies = without_proxy(os.environ, NODE_NETWORKS)
        super().__init__(settings, Cluster(settings.project, settings.namespace, settings.release, KUBECONFIG, proxies))
        self._environment = {
            **proxies,
            "KUBECONFIG": str(KUBECONFIG),
            "MINIKUBE_IN_STYLE": "false",
            "MINIKUBE_WANTUPDATENOTIFICATION": "false",
        }

    def unusable(self) -> str:
        """Return why Minikube cannot be used, or an empty string."""
        obstacle = self._obstacle()
        return obstacle.cause if obstacle else ""

    def _obstacle(self, *, refresh: bool = False) -> TaskError | None:
        driver = self._settings.minikube.driver
        try:
            shell.which("minikube")
            if rejects_root(driver):
                return MissingError(
                    f"Minikube's {driver} driver does not run as root",
                    "run as another user, or with --engine docker",
                    code="engine-unusable",
                )
            if driver == DRIVEN_BY_DOCKER:
                docker_client()
            if self._profile() is None and not _obtainable(driver, refresh=refresh):
                return MissingError(
                    "Kubernetes releases cannot be downloaded here, and Minikube's cache holds no node image",
                    "check the network and the proxy variables, or copy a filled ~/.minikube/cache here",
                    code="engine-unusable",
                )
        except TaskError as error:
            return error
        return None

    def deployed(self) -> bool:
        """Return whether helm has the release in our profile. A cluster that does not run has not."""
        return KUBECONFIG.exists() and super().deployed()

    def silent(self) -> str:
        """Return why our cluster does not answer; an empty string where it does, and where we have never made one."""
        if not KUBECONFIG.exists() or self._profile() is None:
            return ""
        state = self._state()
        return super().silent() if state is State.RUNNING else f"the profile {self._name} is {state}"

    def preflight(self) -> list[str]:
        """Return what keeps Minikube from starting as configured."""
        if obstacle := self._obstacle(refresh=True):
            return [f"{obstacle.cause}: {obstacle.action}"]
        try:
            extra_ca(self._settings.build.extra_ca)
        except InputError as error:
            return [f"{error.cause}: {error.action}"]
        profile = self._profile()
        if profile and profile.kubernetes == self._settings.kubernetes_version:
            return self._drift(profile)
        made = self._drift(profile) if profile else self._too_large()
        return [*self._unknown_kubernetes(), *self._old_cgroups(), *made]

    def _unknown_kubernetes(self) -> list[str]:
        """A Kubernetes that this Minikube was not made for: it would look for it in the internet, and start it as it starts others.

        Who sets MINIKUBE_FORCE, Minikube's own variable for `--force`, takes that upon themselves.
        """
        if os.environ.get("MINIKUBE_FORCE", "").lower() in ("1", "t", "true"):
            return []
        answer = self._minikube("config", "defaults", "kubernetes-version", "--output", "json", ok=None)
        wanted = self._settings.kubernetes_version
        if found := minikube_facts.unknown_kubernetes(wanted, answer.stdout):
            return [f"{found}: invoke setup brings the Minikube of invoke.yaml, or change kubernetes_version there"]
        return []

    def _old_cgroups(self) -> list[str]:
        """From 1.35 on the kubelet refuses cgroup v1, unless it is told not to, which Minikube does from 1.38 on."""
        wanted = self._settings
        if wanted.minikube.driver != DRIVEN_BY_DOCKER or minikube_facts.version(wanted.kubernetes_version) < (1, 35):
            return []
        if str(docker_client().info().get("CgroupVersion")) != "1" or (tools.version_of("minikube") or (0, 0, 0)) >= (1, 38, 0):
            return []
        ways = "boot it with cgroup v2 (WSL: kernelCommandLine = cgroup_no_v1=all in .wslconfig), or take Minikube 1.38 (invoke setup)"
        return [f"this machine has cgroup v1, which Kubernetes {wanted.kubernetes_version} refuses: {ways}"]

    def _drift(self, profile: Profile) -> list[str]:
        wanted = self._settings
        return [
            f"{difference}: put the old value back, or recreate the cluster: invoke down --cluster, then invoke up"
            for difference in minikube_facts.drift(profile, wanted.minikube, wanted.kubernetes_version)
        ]

    def _too_large(self) -> list[str]:
        """What the Docker engine has against what the node is to have: Minikube refuses more than there is."""
        wanted = self._settings.minikube
        if wanted.driver != DRIVEN_BY_DOCKER:
            return []
        info = docker_client().info()
        memory, cpus = int(info["MemTotal"]) // 2**20, int(info["NCPU"])
        problems = []
        if wanted.memory_mib > memory:
            problems.append(
                f"minikube.memory_mib: {wanted.memory_mib} wanted, Docker has {memory}: give Docker more, or lower it in invoke.yaml"
            )
        if wanted.cpus > cpus:
            problems.append(f"minikube.cpus: {wanted.cpus} wanted, Docker has {cpus}: give Docker more, or lower it in invoke.yaml")
        return problems

    def decide_start(self, step: StepReport) -> Decision:
        """Decide how to start the profile as configured; a cluster that runs is left alone, but for addons that it lacks.

        Raises InputError when the profile differs from the settings in what cannot be changed, TaskError where its disk is full; the act
        raises TaskError with Minikube's advice when it fails.
        """
        step.progress("asking Minikube")
        profile = self._profile()
        if profile and (differences := self._drift(profile)):
            raise InputError(differences[0], "", differences[1:], code="cluster-differs")
        state = self._state() if profile else State.MISSING
        if state is State.NO_DISK:
            raise self._disk_is_full()
        act, changes = partial(self._bring_up, profile, state), tuple(self._changes(profile, state))
        return Decision(self._detail, changes, act, blocks=state is not State.RUNNING)

    @property
    def _detail(self) -> str:
        return f"{self._settings.kubernetes_version}, {self._settings.minikube.runtime}, profile {self._name}"

    def _changes(self, profile: Profile | None, state: State) -> Iterator[Change]:
        if profile is None:
            yield Change(f"make the profile {self._name}", "it is not there")
            return
        if state is not State.RUNNING:
            yield Change(f"start the profile {self._name}", f"it is {state}")
        if self._is_older(profile):
            yield Change(f"upgrade Kubernetes to {self._settings.kubernetes_version}", f"the cluster has {profile.kubernetes}")
        for addon in self._missing_addons(profile):
            yield Change(f"enable the addon {addon}", "it is not enabled")

    def _is_older(self, profile: Profile) -> bool:
        return minikube_facts.version(profile.kubernetes) < minikube_facts.version(self._settings.kubernetes_version)

    def _bring_up(self, profile: Profile | None, state: State, step: StepReport) -> Outcome:
        done = self._wake(state)
        if profile is None or state in (State.MISSING, State.DOWN) or self._is_older(profile):
            self._start(step)
            done.append("started" if profile else "made")
        else:
            done += self._enable_addons(profile, step)
        if (state := self._state()) is not State.RUNNING:
            raise TaskError(
                f"Minikube says that it started, but the profile {self._name} is {state}",
                f"minikube logs --profile {self._name}",
                code="cluster-not-started",
            )
        return changed(f"{self._detail}: {', '.join(done)}")

    def _wake(self, state: State) -> list[str]:
        """Fix what does not need a start; return what was done. Raises TaskError when the node's disk is full."""
        if state is State.STALE_KUBECONFIG:
            self._minikube("update-context", "--profile", self._name)
            return ["kubeconfig fixed"]
        if state is State.PAUSED:
            self._minikube("unpause", "--profile", self._name, timeout=STOP_SECONDS)
            return ["unpaused"]
        if state is State.NO_DISK:
            raise self._disk_is_full()
        return []

    @staticmethod
    def _disk_is_full() -> TaskError:
        return TaskError(
            "the Minikube node has no disk space left", "invoke down --cluster, then raise minikube.disk_gib", code="node-disk-full"
        )

    def _start(self, step: StepReport) -> None:
        wanted = self._settings
        KUBECONFIG.parent.mkdir(exist_ok=True)
        self._place_ca()
        listener = Listener(step)
        try:
            argv = minikube_facts.start_argv(self._name, wanted.minikube, wanted.kubernetes_version)
            # A virtual machine stays when we are killed, and would hold the lock forever.
            holds_lock = wanted.minikube.driver == DRIVEN_BY_DOCKER
            shell.run(argv, timeout=START_SECONDS, env=self._environment, on_line=listener, holds_lock=holds_lock)
        except CommandError as error:
            raise listener.failure(error) from None

    def _place_ca(self) -> None:
        pem = extra_ca(self._settings.build.extra_ca)
        if pem:
            certificates = _home() / "certs"
            certificates.mkdir(parents=True, exist_ok=True)
            (certificates / self._ca_file).write_bytes(pem)

    def _missing_addons(self, profile: Profile) -> list[str]:
        return [addon for addon in self._settings.minikube.addons if addon not in profile.addons]

    def _enable_addons(self, profile: Profile, step: StepReport) -> list[str]:
        missing = self._missing_addons(profile)
        for addon in missing:
            step.progress(f"enabling the addon {addon}")
            self._minikube("addons", "enable", addon, "--profile", self._name, timeout=STOP_SECONDS)
        return [f"addon {addon}" for addon in missing]

    def transports(self) -> Sequence[NodeTransport]:
        """Return how images get into each node. Raises TaskError when there is no profile."""
        profile = self._profile()
        if profile is None:
            raise TaskError(f"there is no Minikube profile {self._name}", "invoke up", code="cluster-missing")
        if profile.driver != DRIVEN_BY_DOCKER:
            return [MinikubeVmNode(self._name, profile.runtime, self._minikube)]
        inside = {node: ("docker", "exec", "-i", node) for node in profile.nodes}
        if profile.runtime == "docker":
            return [DockerdNode(node, (*argv, "docker")) for node, argv in inside.items()]
        return [ContainerdNode(node, (*argv, "ctr")) for node, argv in inside.items()]

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove what `up` made and stop the cluster, which keeps its volume; delete the whole profile when asked."""
        if self._profile() is None:
            return unchanged("nothing was there")
        if delete_cluster:
            step.progress(f"deleting the profile {self._name}")
            self._minikube("delete", "--profile", self._name, timeout=STOP_SECONDS)
            (_home() / "certs" / self._ca_file).unlink(missing_ok=True)
            return changed(f"removed the cluster (profile {self._name}) with everything in it")
        if self._wake(self._state()):
            step.progress("woke the cluster")
        if (state := self._state()) is not State.RUNNING:
            if delete_data:
                raise TaskError(
                    f"the profile {self._name} is {state}, and its data is still there",
                    "invoke down --cluster removes it with everything in it; to keep the cluster, invoke up first",
                    code="cluster-not-running",
                )
            return unchanged(f"the profile {self._name} is {state}; invoke down --cluster removes it")
        removed = self.deployment.remove(delete_data=delete_data, step=step)
        kept = [] if delete_data else self.deployment.volumes()
        step.progress(f"stopping the profile {self._name}")
        self._minikube("stop", "--profile", self._name, timeout=STOP_SECONDS)
        outcome = removal(removed, kept)
        return changed(f"{outcome.detail}; stopped the profile {self._name}")

    @property
    def _name(self) -> str:
        return self._settings.project

    @property
    def _ca_file(self) -> str:
        return f"{self._name}-extra-ca.pem"

    def _profile(self) -> Profile | None:
        answer = self._minikube("profile", "list", "--light", "--output", "json", ok=None)
        try:
            return minikube_facts.read_profiles(answer.stdout).get(self._name)
        except ValueError:
            said = (answer.stderr or answer.stdout).strip().splitlines()[-3:]
            raise MissingError("minikube cannot list its profiles", f"look at {_home()}", said, code="engine-unusable") from None

    def _state(self) -> State:
        answer = self._minikube("status", "--profile", self._name, "--output", "json", ok=None)
        return minikube_facts.read_status(answer.code, answer.stdout)

    def _minikube(self, *argv: str, timeout: float = ASK_SECONDS, ok: Collection[int] | None = (0,)) -> Result:
        return shell.run(["minikube", *argv], timeout=timeout, ok=ok, env=self._environment)


class Listener:
    """Turns Minikube's events into progress, and keeps those that explain a failure."""

    def __init__(self, step: StepReport) -> None:
        """Take the step whose progress it is."""
        self._step = step
        self._errors: list[Event] = []

    def __call__(self, line: str) -> None:
        """Take one line of output; one that is no event is in the log already."""
        event = minikube_facts.read_event(line)
        if event is None:
            return
        if event.kind == "error":
            self._errors.append(event)
        elif event.kind == "warning":
            self._step.warn(event.message)
        elif event.message:
            self._step.progress(event.message)

    def failure(self, error: CommandError) -> TaskError:
        """Return what went wrong: the fatal event, or, without one, the last error, or what was printed last."""
        fatal = [event for event in self._errors if event.fatal]
        told = (fatal or self._errors)[-1:]
        if not told:
            return TaskError(f"Minikube did not start: {error.cause}", "the last lines say why", error.evidence, code="cluster-not-started")
        event = told[0]
        lines = event.message.splitlines() or [event.message]
        reason = f" ({event.reason})" if event.reason else ""
        evidence = [*lines[1:], *(other.message for other in self._errors if other is not event)]
        return TaskError(
            f"Minikube did not start: {lines[0]}{reason}", event.advice or "invoke doctor", evidence, code="cluster-not-started"
        )


@dataclass(frozen=True)
class MinikubeVmNode:
    """A node that is a virtual machine, or another thing that only Minikube itself can reach."""

    node: str
    runtime: str
    minikube: Callable[..., Result]

    def images(self) -> set[str]:
        """ServiceClient Minikube for the node's list; it prints an empty one, with exit code 0, when the node is stopped."""
        answer = self.minikube("image", "ls", "--profile", self.node, "--format", "json")
        listed = json.loads(answer.stdout or "[]") or []
        return {full_name(tag) for image in listed for tag in image.get("repoTags") or ()}

    def writer(self, *, include_existing_layers: bool) -> Writer:
        """Leave out the blobs in containerd's content store; with the docker runtime, nothing."""
        if self.runtime == "docker":
            return lambda saved, images, out: write_docker(saved, images, (), out)
        argv = ("ssh", "--profile", self.node, "--", "sudo", "ctr", "--namespace", "k8s.io", "content", "ls", "--quiet")
        present = set() if include_existing_layers else set(self.minikube(*argv).stdout.split())
        return lambda saved, images, out: write_oci(saved, images, present, out)

    def send(self, archive: Path) -> None:
        """Load the file. Minikube exits with 0 when that fails: only the list tells."""
        self.minikube("image", "load", "--profile", self.node, str(archive), timeout=LOAD_SECONDS)

    def remove(self, names: Collection[str]) -> None:
        """Remove the names."""
        self.minikube("image", "rm", "--profile", self.node, *sorted(names))


def rejects_root(driver: str) -> bool:
    """Whether `minikube start` would end with DRV_AS_ROOT: validateUser in its cmd/minikube/cmd/start.go, for all drivers but `none`."""
    return driver != "none" and hasattr(os, "geteuid") and os.geteuid() == 0


def _obtainable(driver: str, *, refresh: bool) -> bool:
    """Whether a first node can be made: its image is here, or releases can be had; refresh: a remembered no does not count."""
    if any((_home() / "cache" / ("kic" if driver == DRIVEN_BY_DOCKER else "iso")).glob("**/*.*")):
        return True
    if driver == DRIVEN_BY_DOCKER and any(NODE_IMAGE in tag for image in docker_client().images.list() for tag in image.tags):
        return True
    return tool_downloads.kubernetes_answers(refresh=refresh)


def _home() -> Path:
    """Minikube's own folder: it appends `.minikube` to MINIKUBE_HOME unless that ends so."""
    named = os.environ.get("MINIKUBE_HOME")
    if not named:
        return Path.home() / ".minikube"
    return Path(named) if named.endswith(".minikube") else Path(named) / ".minikube"

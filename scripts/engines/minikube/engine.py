"""What `up`, `down` and the others do with the profile, and nothing with any other."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from scripts.config.proxies import without_proxy
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.check import Problem
from scripts.core.decision import Change, Decision
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import STATE
from scripts.core.report import Outcome, StepReport, changed, unchanged
from scripts.core.shell import CommandError
from scripts.desired.helm_release import HelmRelease, merged
from scripts.desired.secrets import Secret
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.minikube import checks, first_start, profile
from scripts.engines.minikube.checks import DRIVEN_BY_DOCKER
from scripts.engines.minikube.events import Listener
from scripts.engines.minikube.profile import Profile, State
from scripts.engines.minikube.program import MinikubeProgram, home
from scripts.kubernetes import connection
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.nodes.minikube_vm import MinikubeVmNode
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode, NodeTransport
from scripts.machine.certificates import extra_ca

KUBECONFIG = STATE / "kubeconfig"
START_SECONDS = 1200
PRIMARY = {"minikube.k8s.io/primary": "true"}  # a label that Minikube gives its first node alone
NODE_NETWORKS = ("192.168.0.0/16", "10.96.0.0/12")  # mk:site/…/vpn_and_proxy.md, and the next ones that its docker driver takes


class MinikubeEngine(KubernetesEngine):
    """Runs the app in a Minikube profile that it starts, stops and deletes."""

    name = "minikube"
    tools: Sequence[str] = ("docker", "minikube", "kubectl", "helm")

    def __init__(self, settings: Settings) -> None:
        self._direct = _without_proxy()
        super().__init__(settings, Cluster(settings.project, settings.namespace, settings.release, KUBECONFIG, self._direct))
        self._minikube = MinikubeProgram(settings.project, {**self._direct, "KUBECONFIG": str(KUBECONFIG)})

    def unusable(self) -> str:
        """Return why Minikube cannot be used, or an empty string."""
        obstacle = checks.obstacle(self._settings, self._minikube)
        return obstacle.cause if obstacle else ""

    def deployed(self) -> bool:
        """Return whether helm has the release in our profile. A cluster that does not run has not."""
        return KUBECONFIG.exists() and super().deployed()

    def silent(self) -> str:
        """Return why our cluster does not answer; an empty string where it does, and where we have never made one."""
        if not KUBECONFIG.exists() or self._minikube.profile() is None:
            return ""
        state = self._minikube.state()
        return super().silent() if state in (State.RUNNING, State.WORKER_GONE) else f"the profile {self._name} is {state}"

    def preflight(self) -> list[Problem]:
        """Return what keeps Minikube from starting as configured."""
        return checks.problems(self._settings, self._minikube)

    def decide_start(self, step: StepReport) -> Decision:
        """Decide how to start the profile as configured; a cluster that runs is left alone, but for addons that it lacks.

        Raises InputError when the profile differs from the settings in what cannot be changed, TaskError where its disk is full or its
        node was removed; the act raises TaskError with Minikube's advice when it fails.
        """
        step.progress("asking Minikube")
        self._minikube.forget()
        there = self._minikube.profile()
        if there and first_start.is_unfinished(there):
            return self._decide_again(there, self._minikube.state())
        if there and len(there.nodes) > 1 and self._minikube.state() is State.WORKER_GONE:
            return self._decide_workers(there)
        if there and (differences := checks.differences(there, self._settings)):
            raise InputError(str(differences[0]), "", [*map(str, differences[1:])], code="cluster-differs")
        state = self._minikube.state() if there else State.MISSING
        self._refuse_if_lost(state)
        changes = tuple(self._changes(there, state))
        return Decision(self._detail, changes, partial(self._bring_up, there, state), blocks=state is not State.RUNNING)

    def _decide_again(self, there: Profile, state: State) -> Decision:
        """Decide about a profile whose first start was interrupted: made again, unless somebody has put something into it."""
        reason = "its first start was interrupted"
        if first_start.may_go(there, state, self.cluster):
            return Decision(self._detail, (Change(f"make the profile {self._name} again", reason),), self._make_again, blocks=True)
        change = Change(f"finish the start of the profile {self._name}", reason)
        return Decision(self._detail, (change,), partial(self._bring_up, there, State.DOWN), blocks=True)

    def _make_again(self, step: StepReport) -> Outcome:
        step.progress(f"deleting what the interrupted start of {self._name} left")
        self._minikube.change("delete", "--profile", self._name)
        return self._bring_up(None, State.MISSING, step)

    def _decide_workers(self, there: Profile) -> Decision:
        gone = self._minikube.gone_nodes()
        changes = [Change(f"make a worker in place of {node}", "it was removed behind Minikube's back") for node in gone]
        changes += [Change(f"finish the worker {node}", "making it was interrupted") for node in there.unaddressed]
        return Decision(self._detail, tuple(changes), partial(self._replace_workers, there, gone), blocks=True)

    def _replace_workers(self, there: Profile, gone: Sequence[str], step: StepReport) -> Outcome:
        """Add the new workers before the old ones are forgotten.

        Neither `minikube start` nor a new node of an old one's name joins the cluster: Minikube takes it for the node that was there.
        One that was being added when we were killed has never been there: a start makes it, and it joins.
        """
        for node in gone:
            if len(there.nodes) <= self._settings.minikube.nodes:
                step.progress(f"adding a worker in place of {node}")
                self._forget_lost_machines()
                self._minikube.change("node", "add", "--profile", self._name)
            step.progress(f"forgetting {node}")
            self._minikube.change("node", "delete", node, "--profile", self._name)
            there = self._minikube.profile() or there
        brought = self._bring_up(there, State.DOWN if there.unaddressed else self._minikube.state(), step)
        return changed(f"{self._detail}: made a worker in place of {', '.join(gone)}") if gone else brought

    def _refuse_if_lost(self, state: State) -> None:
        if state is State.NO_DISK:
            raise TaskError(
                "the Minikube node has no disk space left", "invoke down --cluster, then raise minikube.disk_gib", code="node-disk-full"
            )
        if state is State.GONE:
            raise TaskError(
                f"the node of the profile {self._name} was removed behind Minikube's back, and with it the cluster and its data",
                "invoke down --cluster, then invoke up makes a new one",
                code="node-gone",
            )

    @property
    def _detail(self) -> str:
        return f"{self._settings.kubernetes_version}, {self._settings.minikube.runtime}, profile {self._name}"

    def _changes(self, there: Profile | None, state: State) -> Iterator[Change]:
        if there is None:
            yield Change(f"make the profile {self._name}", "it is not there")
            return
        if state is not State.RUNNING:
            yield Change(f"start the profile {self._name}", f"it is {state}")
        if self._is_older(there):
            yield Change(f"upgrade Kubernetes to {self._settings.kubernetes_version}", f"the cluster has {there.kubernetes}")
        for addon in self._missing_addons(there):
            yield Change(f"enable the addon {addon}", "it is not enabled")

    def _is_older(self, there: Profile) -> bool:
        return profile.version(there.kubernetes) < profile.version(self._settings.kubernetes_version)

    def _bring_up(self, there: Profile | None, state: State, step: StepReport) -> Outcome:
        done, state = self._wake(state)
        if there is None or state in (State.DOWN, State.STOPPED) or self._is_older(there):
            self._start(there, step)
            done.append("started" if there else "made")
            self._minikube.forget()
            there = self._minikube.profile() if self._settings.minikube.nodes > 1 else None
        if there:  # of several nodes `minikube start` passes over the addons
            done += self._enable_addons(there, step)
        if (state := self._minikube.state()) is not State.RUNNING:
            raise TaskError(
                f"Minikube says that it started, but the profile {self._name} is {state}",
                f"minikube logs --profile {self._name}",
                code="cluster-not-started",
            )
        first_start.end()
        self._direct.update(_without_proxy())
        connection.renew()
        return changed(f"{self._detail}: {', '.join(done)}")

    def _wake(self, state: State) -> tuple[list[str], State]:
        """Fix what does not need a start, each thing once, for a paused profile may be missing in our kubeconfig too.

        Return what was done, and the state then.
        """
        done = []
        ways = {State.PAUSED: ("unpause", "unpaused"), State.STALE_KUBECONFIG: ("update-context", "kubeconfig fixed")}
        while way := ways.pop(state, None):
            command, told = way
            self._minikube.change(command, "--profile", self._name)
            done.append(told)
            state = self._minikube.state()
        return done, state

    def _start(self, there: Profile | None, step: StepReport) -> None:
        wanted = self._settings
        KUBECONFIG.parent.mkdir(exist_ok=True)
        self._place_ca()
        if there is None:
            first_start.begin(self._name)
        self._forget_lost_machines()
        self._minikube.forget()
        listener = Listener(step, self._name)
        try:
            sized = checks.sized(wanted.minikube, there).model_copy(update={"addons": wanted.addons})
            argv = profile.start_argv(self._name, sized, wanted.kubernetes_version)
            # A virtual machine stays when we are killed, and would hold the lock forever.
            holds_lock = wanted.minikube.driver == DRIVEN_BY_DOCKER
            shell.run(argv, timeout=START_SECONDS, env=self._minikube.environment, on_line=listener, holds_lock=holds_lock)
        except CommandError as error:
            raise listener.failure(error) from None

    def _forget_lost_machines(self) -> None:
        """Of other drivers such a folder may hold a machine that is there."""
        if self._settings.minikube.driver == DRIVEN_BY_DOCKER:
            self._minikube.forget_lost_machines()

    def _place_ca(self) -> None:
        pem = extra_ca(self._settings.build.extra_ca)
        if pem:
            self._ca.parent.mkdir(parents=True, exist_ok=True)
            self._ca.write_bytes(pem)

    def _missing_addons(self, there: Profile) -> list[str]:
        return [addon for addon in self._settings.addons if addon not in there.addons]

    def _enable_addons(self, there: Profile, step: StepReport) -> list[str]:
        missing = self._missing_addons(there)
        for addon in missing:
            step.progress(f"enabling the addon {addon}")
            self._minikube.change("addons", "enable", addon, "--profile", self._name)
        return [f"addon {addon}" for addon in missing]

    def decide_install(self, release: HelmRelease, secrets: Sequence[Secret], step: StepReport) -> Decision:
        """Decide as every cluster does; of several nodes the database gets the first, where Minikube's provisioner makes its volume.

        Such a volume is a folder, and names no node: on another one the database would find an empty folder that it may not write to.
        """
        if self._settings.minikube.nodes > 1:
            release = dataclasses.replace(release, values=merged({"postgres": {"nodeSelector": PRIMARY}}, release.values))
        return super().decide_install(release, secrets, step)

    def transports(self) -> Sequence[NodeTransport]:
        """Return how images get into each node. Raises TaskError when there is no profile."""
        there = self._minikube.profile()
        if there is None:
            raise TaskError(f"there is no Minikube profile {self._name}", "invoke up", code="cluster-missing")
        if there.driver != DRIVEN_BY_DOCKER:
            return [MinikubeVmNode(self._name, there.runtime, self._minikube.run)]
        inside = {node: ("docker", "exec", "-i", node) for node in there.nodes}
        if there.runtime == "docker":
            return [DockerdNode(node, (*argv, "docker")) for node, argv in inside.items()]
        return [ContainerdNode(node, (*argv, "ctr")) for node, argv in inside.items()]

    def down(self, *, delete_data: bool, delete_cluster: bool, step: StepReport) -> Outcome:
        """Remove what `up` made and stop the cluster, which keeps its volume; delete the whole profile when asked."""
        self._minikube.forget()
        if self._minikube.profile() is None:
            return unchanged("nothing was there")
        if delete_cluster:
            step.progress(f"deleting the profile {self._name}")
            self._minikube.change("delete", "--profile", self._name)
            self._ca.unlink(missing_ok=True)
            first_start.end()
            return changed(f"removed the cluster (profile {self._name}) with everything in it")
        done, state = self._wake(self._minikube.state())
        if done:
            step.progress("woke the cluster")
        if state is not State.RUNNING:
            return self._nothing_to_ask(state, delete_data=delete_data)
        outcome = self._remove_app(delete_data=delete_data, step=step)
        step.progress(f"stopping the profile {self._name}")
        self._minikube.change("stop", "--profile", self._name)
        return changed(f"{outcome.detail}; stopped the profile {self._name}")

    def _nothing_to_ask(self, state: State, *, delete_data: bool) -> Outcome:
        if delete_data:
            raise TaskError(
                f"the profile {self._name} is {state}, and its data is still there",
                "invoke down --cluster removes it with everything in it; to keep the cluster, invoke up first",
                code="cluster-not-running",
            )
        return unchanged(f"the profile {self._name} is {state}; invoke down --cluster removes it")

    @property
    def _name(self) -> str:
        return self._settings.project

    @property
    def _ca(self) -> Path:
        return home() / "certs" / f"{self._name}-extra-ca.pem"


def _without_proxy() -> dict[str, str | None]:
    """The variables by which programs ask the nodes without a proxy: Minikube's usual networks, and where our kubeconfig's server is."""
    return without_proxy(os.environ, (*NODE_NETWORKS, *_servers()))


def _servers() -> list[str]:
    try:
        clusters = yaml.safe_load(KUBECONFIG.read_text(encoding="utf-8"))["clusters"]
        return [host for each in clusters if (host := urlsplit(each["cluster"]["server"]).hostname)]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return []

"""What keeps Minikube from starting a profile on this machine, looked for before anything is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator

from scripts.config.settings import Minikube, Settings
from scripts.core import shell
from scripts.core.check import Problem
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.engines.minikube import profile
from scripts.engines.minikube.profile import Profile, State
from scripts.engines.minikube.program import MinikubeProgram, home
from scripts.machine import tool_downloads, tools
from scripts.machine.certificates import extra_ca
from scripts.machine.docker_client import docker_client

DRIVEN_BY_DOCKER = "docker"
NODE_IMAGE = "kicbase"
LEAST_CPUS, LEAST_MEMORY_MIB = 2, 1800  # mk:pkg/minikube/constants, RSRC_INSUFFICIENT_…


def obstacle(settings: Settings, minikube: MinikubeProgram, *, refresh: bool = False) -> TaskError | None:
    """Return why Minikube cannot be used at all; refresh: a remembered no does not count."""
    driver = settings.minikube.driver
    try:
        if rejects_root(driver):  # to whom it is of no use, and not installed for
            return MissingError(
                f"Minikube's {driver} driver does not run as root",
                "run as another user, or with --engine docker",
                code="engine-unusable",
            )
        shell.which("minikube")
        if driver == DRIVEN_BY_DOCKER:
            docker_client()
        if minikube.profile() is None and not _can_be_had(driver, refresh=refresh):
            return MissingError(
                "Kubernetes cannot be downloaded here, and Minikube's cache holds no node image",
                "check the network and the proxy variables, or copy a filled ~/.minikube/cache here",
                code="engine-unusable",
            )
    except TaskError as error:
        return error
    return None


def rejects_root(driver: str) -> bool:
    """Whether `minikube start` would end with DRV_AS_ROOT: validateUser in its cmd/minikube/cmd/start.go, for all drivers but `none`."""
    return driver != "none" and hasattr(os, "geteuid") and os.geteuid() == 0


def _can_be_had(driver: str, *, refresh: bool) -> bool:
    """Whether a first node can be made: its image is here, or Kubernetes can be downloaded."""
    if any((home() / "cache" / ("kic" if driver == DRIVEN_BY_DOCKER else "iso")).glob("**/*.*")):
        return True
    if driver == DRIVEN_BY_DOCKER and any(NODE_IMAGE in tag for image in docker_client().images.list() for tag in image.tags):
        return True
    return tool_downloads.kubernetes_answers(refresh=refresh)


def problems(settings: Settings, minikube: MinikubeProgram) -> list[Problem]:
    """Return what keeps Minikube from starting as configured."""
    if found := obstacle(settings, minikube, refresh=True):
        return [Problem(found.cause, found.action)]
    try:
        extra_ca(settings.build.extra_ca)
    except InputError as error:
        return [Problem(error.cause, error.action)]
    there = minikube.profile()
    made = differences(there, settings) if there else list(_too_large(settings))
    if made and there and len(there.nodes) > 1 and minikube.state() is State.WORKER_GONE:
        made = []  # a run that was to replace a worker was interrupted: what there is then is not what somebody wants
    if there and there.kubernetes == settings.kubernetes_version:
        return made
    return [*_unknown_kubernetes(settings, minikube), *_old_cgroups(settings), *made]


def differences(there: Profile, settings: Settings) -> list[Problem]:
    """Return in what the profile differs from the settings and cannot be changed."""
    return [
        Problem(difference, "put the old value back, or recreate the cluster: invoke down --cluster, then invoke up")
        for difference in profile.drift(there, settings.minikube, settings.kubernetes_version)
    ]


def _unknown_kubernetes(settings: Settings, minikube: MinikubeProgram) -> list[Problem]:
    """A Kubernetes that this Minikube was not made for: it would look for it in the internet, and start it as it starts others.

    Who sets MINIKUBE_FORCE, Minikube's own variable for `--force`, takes that upon themselves.
    """
    if os.environ.get("MINIKUBE_FORCE", "").lower() in ("1", "t", "true"):
        return []
    answer = minikube.run("config", "defaults", "kubernetes-version", "--output", "json", ok=None)
    if found := profile.unknown_kubernetes(settings.kubernetes_version, answer.stdout):
        return [Problem(found, "invoke setup brings the Minikube of invoke.yaml, or change kubernetes_version there")]
    return []


def _old_cgroups(settings: Settings) -> list[Problem]:
    """From 1.35 on the kubelet refuses cgroup v1, unless it is told not to, which Minikube does from 1.38 on."""
    if settings.minikube.driver != DRIVEN_BY_DOCKER or profile.version(settings.kubernetes_version) < (1, 35):
        return []
    if str(docker_client().info().get("CgroupVersion")) != "1" or (tools.version_of("minikube") or (0, 0, 0)) >= (1, 38, 0):
        return []
    ways = "boot it with cgroup v2 (WSL: kernelCommandLine = cgroup_no_v1=all in .wslconfig), or take Minikube 1.38 (invoke setup)"
    return [Problem(f"this machine has cgroup v1, which Kubernetes {settings.kubernetes_version} refuses", ways)]


def _too_large(settings: Settings) -> Iterator[Problem]:
    """What the Docker engine has against what the node is to have: Minikube refuses more than there is."""
    wanted = settings.minikube
    if wanted.driver != DRIVEN_BY_DOCKER:
        return
    cpus, memory = _capacity(wanted.driver)
    for key, asked, has, least in (("memory_mib", wanted.memory_mib, memory, LEAST_MEMORY_MIB), ("cpus", wanted.cpus, cpus, LEAST_CPUS)):
        if isinstance(asked, int) and asked > has:
            yield Problem(f"minikube.{key}: {asked} wanted, Docker has {has}", f"give Docker more, or write {profile.AUTO} in invoke.yaml")
        elif has < least:
            yield Problem(f"minikube.{key}: a node needs {least}, Docker has {has}", "give Docker more")


def sized(wanted: Minikube, there: Profile | None) -> Minikube:
    """Return the settings with figures for `auto`: the profile's own, or else what fits this machine."""
    if profile.AUTO not in (wanted.cpus, wanted.memory_mib):
        return wanted
    return profile.sized(wanted, there, *((0, 0) if there else _capacity(wanted.driver)))


def _capacity(driver: str) -> tuple[int, int]:
    """The processors, and the memory in MiB, that nodes of this driver can have."""
    if driver == DRIVEN_BY_DOCKER:
        info = docker_client().info()
        return int(info["NCPU"]), int(info["MemTotal"]) // 2**20
    return os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20

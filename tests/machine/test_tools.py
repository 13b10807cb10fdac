"""Versions as real programs print them, what counts as good, and the lock file against the settings."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from scripts import preflight
from scripts.config.settings import Needs, Tool, load_settings
from scripts.core.errors import TaskError
from scripts.engines import choice
from scripts.machine import packages, tool_downloads, tools
from scripts.project import Project
from tests.doubles import Step

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        pytest.param("v4.3.0\n", (4, 3, 0), id="helm 4 built by go install"),
        pytest.param("v4.2.2+gb05881c\n", (4, 2, 2), id="helm 4 release"),
        pytest.param("v4.3\n", (4, 3, 0), id="helm 4 without its linker flags"),
        pytest.param("Client: v2.17.0+ga690bad\n", (2, 17, 0), id="helm 2"),
        pytest.param("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0\n", (1, 32, 4), id="kubectl"),
        pytest.param(
            'Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2", GoVersion:"go1.15.5"}', (1, 20, 2), id="old kubectl"
        ),
        pytest.param("v1.38.1\n", (1, 38, 1), id="minikube"),
        pytest.param("v0.0.0-unset\n", (0, 0, 0), id="minikube without its linker flags"),
        pytest.param("20.10.24+dfsg1", (20, 10, 24), id="docker engine of Debian"),
        pytest.param("28.3.0-rc.1", (28, 3, 0), id="a release candidate"),
        pytest.param("go version go1.26.8 linux/amd64", (1, 26, 8), id="go"),
        pytest.param("v20.20.2\n", (20, 20, 2), id="node"),
        pytest.param("", None, id="nothing"),
        pytest.param("Segmentation fault", None, id="no version at all"),
    ],
)
def test_the_version_is_read_from_what_a_program_prints(printed: str, version: tools.Version | None) -> None:
    assert tools.parse_version(printed) == version


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ((3, 15, 9), "3.15.9 is older than 3.16.0"),
        ((3, 16, 0), ""),
        ((4, 99, 99), ""),
        ((5, 0, 0), "5.0.0 is too new: a version below 5.0.0 is needed"),
    ],
)
def test_a_version_does_from_the_minimum_to_below_the_bound(version: tools.Version, reason: str) -> None:
    assert tools.misfit(version, Tool(version="4.3.0", minimum="3.16.0", below="5.0.0")) == reason


def test_without_a_bound_any_newer_version_does() -> None:
    assert tools.misfit((99, 0, 0), Tool(version="4.3.0", minimum="3.16.0")) == ""


def test_every_engine_needs_only_tools_that_the_settings_know() -> None:
    known = load_settings().tools
    assert {tool for make in choice.makers(load_settings()).values() for tool in make().tools} <= known.keys()


def test_the_lock_has_a_checksum_of_every_tool_that_setup_brings_for_every_platform() -> None:
    platforms = {f"{system}/{arch}" for system in ("linux", "darwin") for arch in ("amd64", "arm64")}
    settings = load_settings()
    brought = {name: tool for name, tool in settings.tools.items() if name != "docker"} | {"kubectl-ai": settings.ask.kubectl_ai}
    lock = tool_downloads.load()
    assert lock.keys() == brought.keys()
    for name, tool in brought.items():
        assert lock[name].sha256[tool.version].keys() == platforms, name
        sums = list(lock[name].sha256[tool.version].values())
        assert len(set(sums)) == len(sums), f"{name}: two platforms share a checksum"


def test_the_version_that_setup_brings_is_one_that_does() -> None:
    for name, tool in load_settings().tools.items():
        version = tools.parse_version(tool.version)
        assert version is not None, name
        assert tools.misfit(version, tool) == "", name


def test_addresses_in_the_lock_are_https_and_name_the_version() -> None:
    for name, release in tool_downloads.load().items():
        assert release.url.startswith("https://"), name
        assert "{version}" in release.url, name


@pytest.mark.parametrize("system", ["darwin", "debian", "fedora", "arch", "linux"])
def test_each_tool_has_a_command_for_a_person_on_each_system(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "system", lambda: system)
    assert all(release.command() for release in tool_downloads.load().values())


@pytest.mark.parametrize(
    ("release", "system"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "debian"),
        ({"ID": "fedora"}, "fedora"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "fedora"),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, "arch"),
        ({"ID": "alpine"}, "linux"),
    ],
)
def test_a_distribution_counts_as_what_it_is_like(release: dict[str, str], system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.platform, "system", lambda: "Linux")
    monkeypatch.setattr(packages.platform, "freedesktop_os_release", lambda: release)
    packages.system.cache_clear()
    try:
        assert packages.system() == system
    finally:
        packages.system.cache_clear()


MEMINFO = "MemTotal:       16000000 kB\nMemFree:          200000 kB\nMemAvailable:    1024000 kB\n"


@pytest.mark.parametrize(("meminfo", "wanted", "problems"), [(MEMINFO, 1000, 0), (MEMINFO, 1001, 1), ("", 1 << 30, 0)])
@pytest.mark.parametrize("deployed", [True, False])
def test_available_memory_counts_where_nothing_runs_yet(
    meminfo: str, wanted: int, problems: int, deployed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "_meminfo", lambda: meminfo)
    settings = SimpleNamespace(needs=Needs(free_disk_gib=0, free_memory_mib=wanted))
    found = preflight.memory_check(cast("Project", SimpleNamespace(settings=settings, engine=SimpleNamespace(deployed=lambda: deployed))))
    assert len(found.problems) == (0 if deployed else problems)
    assert not found.problems or str(found.problems[0]) == (
        "1000 MiB of memory are available, less than the 1001 MiB of needs.free_memory_mib: end programs that you do not need"
    )


def test_a_nearly_full_disk_is_named_once_with_both_numbers(tmp_path: Path) -> None:
    found = preflight.disk_problems([tmp_path, tmp_path], Needs(free_disk_gib=1e6, free_memory_mib=0))
    assert len(found) == 1
    assert re.search(r"has [\d.]+ GiB free, less than the 1e\+06 GiB of needs.free_disk_gib", str(found[0]))
    assert preflight.disk_problems([tmp_path], Needs(free_disk_gib=0, free_memory_mib=0)) == []


@pytest.mark.parametrize(("machine", "asset"), [(("linux", "amd64"), "Linux_x86_64"), (("darwin", "arm64"), "Darwin_arm64")])
def test_a_release_is_asked_for_by_its_publishers_name(
    machine: tuple[str, str], asset: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tool_downloads, "platform_name", lambda: machine)
    monkeypatch.setattr(tool_downloads, "_fetch", lambda url, *_: asked.append(url) or "another")
    monkeypatch.setattr(tool_downloads.paths, "TOOLS", tmp_path / "bin")
    with pytest.raises(TaskError) as caught:
        tool_downloads.download("kubectl-ai", "0.0.28", tool_downloads.load()["kubectl-ai"], Step())
    assert caught.value.code == "checksum-mismatch"
    assert asked == [f"https://github.com/GoogleCloudPlatform/kubectl-ai/releases/download/v0.0.28/kubectl-ai_{asset}.tar.gz"]

"""Proxies reach builds by name, and one on this machine is reachable from where builds run."""

from __future__ import annotations

import pytest

from scripts.images import build_network

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in build_network.PASSED:
        monkeypatch.delenv(name, raising=False)


def test_values_of_proxies_are_in_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://u:marked@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "localhost")
    assert build_network.proxy_arguments() == ["--build-arg", "HTTPS_PROXY", "--build-arg", "no_proxy"]


@pytest.mark.parametrize(
    ("proxy", "loopback"),
    [
        ("http://127.0.0.1:3128", True),
        ("http://u:p@localhost:3128/", True),
        ("localhost:3128", True),
        ("http://[::1]:3128", True),
        ("http://proxy.example:3128", False),
        ("http://10.0.0.1:3128", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_a_proxy_on_loopback_takes_builds_into_the_hosts_network(proxy: str, loopback: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    assert build_network.network_arguments(desktop=False) == (["--network", "host"] if loopback else [])
    assert build_network.network_arguments(desktop=True) == []
    assert bool(build_network.proxy_environment(desktop=True)) == loopback
    assert build_network.proxy_environment(desktop=False) == {}


@pytest.mark.parametrize(
    ("proxy", "seen"),
    [
        ("http://u:p%40@127.0.0.1:3128/x", "http://u:p%40@host.docker.internal:3128/x"),
        ("localhost:3128", "http://host.docker.internal:3128"),
        ("http://[::1]:3128", "http://host.docker.internal:3128"),
        ("http://localhost", "http://host.docker.internal"),
    ],
)
def test_docker_desktop_sees_this_machine_by_its_name(proxy: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    assert build_network.proxy_environment(desktop=True) == {"HTTP_PROXY": seen}

"""Faults of the machine in the middle of `invoke up`, made of the test cluster's own processes, its network and a small file system."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from scripts.core import shell
from tests.faults.ground import Ground

FAKETIME = "faketime"
Making = Callable[[Ground], AbstractContextManager[None]]


@dataclass(frozen=True)
class MachineFault:
    """A fault that is there for some seconds once a step of `up` has started, or for the whole run where none is named."""

    name: str
    during: Making
    says: re.Pattern[str]
    """What some line of the run says of it; empty where nobody need notice."""
    step: str = ""
    seconds: float = 20
    goes_on: bool = True
    """Whether the same run ends well; otherwise the next one does."""
    forget: tuple[str, ...] = ()
    """Services whose images the node loses before, so that they are loaded again."""
    needs: str = ""
    """A program that it needs beside the test cluster."""


@contextmanager
def _no_network(ground: Ground) -> Iterator[None]:
    """Nothing from this machine reaches the API server: packets are dropped, nobody refuses them."""
    assert ground.own
    layout = ground.own.layout
    rule = ["INPUT", "--source", layout.host_ip, "--protocol", "tcp", "--dport", "6443", "--jump", "DROP"]
    iptables = ["nsenter", f"--net={layout.node().netns}", "iptables"]
    shell.run([*iptables, "--insert", *rule], timeout=10)
    try:
        yield
    finally:
        shell.run([*iptables, "--delete", *rule], timeout=10)


@contextmanager
def _full_disk(ground: Ground) -> Iterator[None]:
    """The folder of the runs is on a file system of two megabytes."""
    folder = ground.app.checkout.path / ".state"
    shell.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], timeout=10)
    try:
        yield
    finally:
        shell.run(["umount", "--lazy", str(folder)], timeout=10)


@contextmanager
def _other_clock(ground: Ground) -> Iterator[None]:
    """The tool's own clock is two hours ahead of the cluster's."""
    checkout = ground.app.checkout
    before = checkout.environment
    checkout.environment = {**before, **_ahead()}
    try:
        yield
    finally:
        checkout.environment = before


def _ahead() -> dict[str, str]:
    library = shell.run([FAKETIME, "-f", "+2h", "printenv", "LD_PRELOAD"], timeout=10).stdout.strip()
    return {"LD_PRELOAD": library, "FAKETIME": "+2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def _paused(process: str) -> Making:
    return lambda ground: ground.own.paused(process)  # type: ignore[union-attr]


NO_ANSWER = re.compile(r"the cluster does not answer for")
MACHINE_FAULTS = (
    MachineFault("API server stands still", _paused("kube-apiserver"), NO_ANSWER, step="rollout"),
    MachineFault("etcd stands still", _paused("etcd"), NO_ANSWER, step="rollout"),
    # Images go past the API server, so nobody need notice.
    MachineFault("network gone in mid-load", _no_network, re.compile(""), step="load", forget=("backend", "frontend")),
    MachineFault("disk full", _full_disk, re.compile(r"full|[Nn]o space"), goes_on=False, forget=("frontend",)),
    MachineFault("clock two hours off", _other_clock, re.compile(""), needs=FAKETIME),
)


def lacks(fault: MachineFault, ground: Ground) -> str:
    """Return why a fault cannot be made here, or an empty string."""
    if ground.own is None:
        return "it needs the test cluster's own processes"
    if fault.needs and not shutil.which(fault.needs):
        return f"{fault.needs} is not installed"
    return _broken_clock() if fault.needs == FAKETIME else ""


def _broken_clock() -> str:
    """Return why programs cannot run by the other clock: some versions of libfaketime refuse each sleep of Python's."""
    argv = [sys.executable, "-c", "import time; time.sleep(0.01)"]
    try:
        run = subprocess.run(argv, env={**os.environ, **_ahead()}, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return f"this {FAKETIME} never ends a sleep of Python's"
    return "" if run.returncode == 0 else f"this {FAKETIME} refuses a sleep of Python's"

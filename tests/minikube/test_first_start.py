"""A first start that is interrupted, at any moment and in two ways: the next `up` ends with an app that serves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.minikube.profile import NOTHING_DONE, Profile

pytestmark = [pytest.mark.minikube, pytest.mark.timeout(1500)]

BEFORE_SECONDS, AFTER_SECONDS = 2.0, 70.0
"""A first start takes 40 to 60 s; what is later falls into the steps after it."""
WAYS = (signal.SIGINT, signal.SIGKILL)


@pytest.fixture
def nothing_yet(profile: Profile) -> Iterator[Profile]:
    """A checkout without a profile; the images are there already, since no start waits for them."""
    build = profile.checkout.invoke("build", timeout=1200)
    assert build.code == 0, build.stderr
    yield profile
    assert profile.down("--cluster").code == 0


def left_by(profile: Profile) -> str:
    """What the interrupted start has left, in a few words."""
    known = profile.known()
    address = known and (known["Nodes"][0].get("IP") or "without address")
    status = profile.minikube("status", "--output", "json")
    said = json.loads(status.stdout) if status.stdout.startswith("{") and status.code != 85 else {}
    states = "/".join(said.get(key, "?") for key in ("Host", "Kubelet", "APIServer", "Kubeconfig")) if said else f"code {status.code}"
    return f"container {profile.container() or 'none'}, profile {address or 'none'}, status {states}"


def test_the_next_up_serves(nothing_yet: Profile, kill: int, seed: int) -> None:
    moments = random.Random(f"{seed}-{kill}")
    seconds, way = moments.uniform(BEFORE_SECONDS, AFTER_SECONDS), moments.choice(WAYS)
    print(f"--seed {seed}, kill {kill}: {way.name} after {seconds:.1f} s, load {os.getloadavg()[0]:.0f}", flush=True)
    process = nothing_yet.checkout.start("up")
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(way)
        process.communicate(timeout=60)
    print(f"left: {left_by(nothing_yet)}")
    results = nothing_yet.served()
    print(f"next up: start {results['start']}")
    assert set(nothing_yet.served().values()) <= NOTHING_DONE

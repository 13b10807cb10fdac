"""A profile of three nodes: images on each, a pod that moves, and a database that stays with its volume."""

from __future__ import annotations

import json
import signal
import time

import pytest

from scripts.core import shell
from scripts.core.waiting import until
from tests.minikube.profile import NOTHING_DONE, Profile

pytestmark = [pytest.mark.minikube, pytest.mark.long, pytest.mark.timeout(1500)]

NODES = 3


@pytest.fixture(scope="module")
def three(profile: Profile) -> Profile:
    profile.checkout.set("minikube.nodes", str(NODES))
    profile.checkout.set("services.page.replicas", str(NODES))
    profile.served()
    profile.sql("create table kept (a int); insert into kept values (7)")
    return profile


def kubectl(three: Profile, *argv: str) -> str:
    options = ["--kubeconfig", str(three.kubeconfig), "--context", three.NAME, "--namespace", three.NAME]
    return shell.run(["kubectl", *options, *argv], timeout=180).stdout


def node_of(three: Profile, component: str) -> list[str]:
    pods = json.loads(kubectl(three, "get", "pods", "--selector", f"app.kubernetes.io/component={component}", "--output", "json"))["items"]
    return [pod["spec"].get("nodeName", "") for pod in pods if not pod["metadata"].get("deletionTimestamp")]


def test_pods_are_spread_and_a_second_up_finds_the_images_on_every_node(three: Profile) -> None:
    assert len(set(node_of(three, "page"))) > 1
    assert node_of(three, "postgres") == [three.NAME]
    assert set(three.served().values()) <= NOTHING_DONE


def test_an_edit_reaches_every_node(three: Profile) -> None:
    three.edit("the second page")
    assert three.served()["load"] == "changed"
    assert len(set(node_of(three, "page"))) > 1


def test_pods_of_a_drained_node_start_on_others(three: Profile) -> None:
    away = f"{three.NAME}-m03"
    kubectl(three, "drain", away, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=150s")
    try:
        assert three.served()["rollout"] in ("passed", "unchanged")
        assert away not in node_of(three, "page")
        assert node_of(three, "postgres") == [three.NAME]
        assert "7" in three.sql("table kept")
    finally:
        kubectl(three, "uncordon", away)


def test_a_worker_that_was_removed_is_made_again(three: Profile) -> None:
    shell.run(["docker", "rm", "--force", "--volumes", f"{three.NAME}-m03"], timeout=60)
    assert three.served()["start"] == "changed"
    kubectl(three, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
    assert "7" in three.sql("table kept")


@pytest.mark.parametrize("seconds", [1, 6, 12])
def test_a_worker_whose_making_was_interrupted_is_finished(three: Profile, seconds: int) -> None:
    """seconds: how long Minikube has known the new worker when `up` is interrupted; one takes some 20 s to join."""
    known = three.known()
    assert known
    before = {node["Name"] for node in known["Nodes"]}
    shell.run(["docker", "rm", "--force", "--volumes", f"{three.NAME}-{max(before)}"], timeout=60)
    process = three.checkout.start("up")
    until(lambda: {node["Name"] for node in (three.known() or known)["Nodes"]} - before, seconds=120, pause=0.3, what="a new worker")
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)  # not SIGKILL, which leaves `minikube node add` at work: the next run would wait for its end
    process.communicate(timeout=60)
    print(f"left after {seconds} s: {three.minikube('status', '--output', 'json').stdout.strip()}")
    assert three.served()["start"] == "changed"
    kubectl(three, "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s")
    assert len(kubectl(three, "get", "nodes", "--output", "name").split()) == NODES
    assert "7" in three.sql("table kept")


def test_a_stopped_profile_comes_back_with_all_nodes(three: Profile) -> None:
    assert three.down().code == 0
    three.served()
    assert len(kubectl(three, "get", "nodes", "--output", "name").split()) == NODES
    assert "7" in three.sql("table kept")

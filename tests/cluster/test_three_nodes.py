"""The app on three nodes: images on each, pods that move, a drain that nobody notices, and a volume that stays where it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import KubeContext
from scripts.desired.images import BaseImage, Image
from scripts.images.archive import full_name
from scripts.kubernetes import rollout
from scripts.kubernetes.nodes import detect, load
from scripts.kubernetes.nodes.transports import ContainerdNode, NodeTransport
from scripts.machine.docker_client import build_platform
from tests.checkout import RELEASE
from tests.cluster import test_hpa
from tests.cluster.app import App, Load
from tests.cluster.local_cluster.cluster import LocalCluster
from tests.doubles import Step

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(1800)]

NODES = 3
REQUESTS = 5000
PER_SECOND = 40
URLS = [f"http://{RELEASE}-backend:8000/api/todos", f"http://{RELEASE}-frontend:3000/api/todos"]
SERVICES = ("backend", "frontend")


@pytest.fixture(scope="module")
def three(app: App) -> Iterator[App]:
    """The app in a cluster of three nodes: two join the test cluster, after the database has its volume on the first."""
    own = LocalCluster()
    if len(app.cluster.names("nodes")) < NODES:
        if not own.is_up:
            pytest.skip("this cluster has fewer than three nodes, and none can be added to it")
        own.up(print, NODES)
        yield app
        own.remove_further_nodes()
        rollout.watch(app.cluster, 300, Step())
    else:
        yield app


def transports(app: App) -> list[NodeTransport]:
    wanted = KubeContext(context=app.context.context, containerd_socket=str(app.context.containerd_socket or ""))
    return detect.find(app.cluster, wanted)


def images(app: App) -> list[Image]:
    values = app.values()
    found = [(name, values["services"][name]["image"]) for name in SERVICES] + [("postgres", values["postgres"]["image"])]
    return [Image(name, i["repository"], i["tag"], Path(), Path(), BaseImage("", "", ()), build_platform()) for name, i in found]


def nodes_of(app: App, component: str) -> Counter[str]:
    pods = app.cluster.get("pods", selector=f"app.kubernetes.io/component={component}")
    return Counter(pod["spec"].get("nodeName", "") for pod in pods if not pod["metadata"].get("deletionTimestamp"))


def sent_by_node(app: App, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Load what is missing, and return the bytes that each node was sent."""
    sizes: Counter[str] = Counter()
    send = ContainerdNode.send

    def measured(self: ContainerdNode, archive: Iterable[bytes]) -> None:
        send(self, counted(self.node, archive))

    def counted(node: str, archive: Iterable[bytes]) -> Iterator[bytes]:
        for piece in archive:
            sizes[node] += len(piece)
            yield piece

    with monkeypatch.context() as patch:
        patch.setattr(ContainerdNode, "send", measured)
        load.decide(transports(app), images(app)).carry_out(Step())
    return sizes


def test_every_node_gets_the_images_and_each_only_what_it_lacks(three: App, monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    print("new nodes:", sent_by_node(three, monkeypatch), f"bytes in {time.monotonic() - started:.0f} s")
    wanted = {full_name(image.reference) for image in images(three)}
    assert [node.node for node in transports(three) if wanted - node.images().keys()] == []
    backend, postgres = (next(i for i in images(three) if i.service == name) for name in ("backend", "postgres"))
    by_name = {node.node: node for node in transports(three)}
    poor, poorer = sorted(by_name)[1:3]
    by_name[poor].remove({full_name(postgres.reference)})
    by_name[poorer].remove({full_name(image.reference) for image in (backend, postgres)})
    sizes = sent_by_node(three, monkeypatch)
    print("one lacks postgres, one postgres and backend:", sizes)
    assert set(sizes) == {poor, poorer}
    assert 0 < sizes[poor] < sizes[poorer]
    assert sent_by_node(three, monkeypatch) == {}


def test_pods_that_move_start_and_all_that_holds_on_one_node_holds_on_three(three: App) -> None:
    assert three.checkout.invoke("up", "--engine", "kube_context").code == 0
    for service in SERVICES:  # those of before the nodes came are together on the first
        three.cluster.kubectl("delete", "pod", "--selector", f"app.kubernetes.io/component={service}", timeout=120)
        rollout.watch(three.cluster, 300, Step())
        spread = nodes_of(three, service)
        print(service, dict(spread))
        assert len(spread) > 1, "the pods of a service are on one node again"
    smoke = three.checkout.invoke("smoke", "--engine", "kube_context")
    assert smoke.code == 0, smoke.stdout + smoke.stderr
    three.cluster.helm("test", RELEASE, timeout=180)
    again = three.checkout.invoke("up", "--engine", "kube_context", "--json")
    print(f"up with nothing to do on three nodes: {again.seconds:.1f} s")
    assert set(again.results().values()) <= {"unchanged", "passed", "skipped"}


def test_no_request_fails_while_nodes_are_drained(three: App) -> None:
    (database,) = nodes_of(three, "postgres")
    others = sorted(set(three.cluster.names("nodes")) - {database})
    with Load(three, URLS, PER_SECOND, node=database) as requests:
        for node in others:
            before, started = requests.tally(), time.monotonic()
            moved = sum(nodes_of(three, service)[node] for service in SERVICES)
            try:
                three.cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=240s", timeout=250)
                assert not any(nodes_of(three, service)[node] for service in SERVICES)
                rollout.watch(three.cluster, 300, Step())
            finally:
                three.cluster.kubectl("uncordon", node)
            after = requests.tally()
            asked, seconds = after.total - before.total, time.monotonic() - started
            print(f"{node}: {moved} pods moved in {seconds:.0f} s, {asked} requests, failed: {dict(after.failed)}")
        eventually(lambda: requests.tally().total >= REQUESTS, 300, "the load stands still")
        tally = requests.tally()
    print(f"{tally.total} requests, the slowest {tally.slowest} s, failed: {dict(tally.failed)}")
    assert not tally.failed


def test_a_database_whose_node_takes_no_pods_says_so_and_comes_back_with_its_data(three: App) -> None:
    (database,) = nodes_of(three, "postgres")
    three.cluster.kubectl("cordon", database)
    try:
        three.cluster.kubectl("delete", "pod", f"{RELEASE}-postgres-0", timeout=120)
        eventually(lambda: "volume-elsewhere" in codes(three), 90, "nothing is said of the volume")
        told = next(event for event in diagnoses(three) if event["code"] == "volume-elsewhere")
        print(told["cause"], "->", told["action"])
        assert f"is on {database}, and {database} takes no new pods" in told["cause"]
        assert told["action"] == f"kubectl uncordon {database}"
    finally:
        three.cluster.kubectl("uncordon", database)
    rollout.watch(three.cluster, 300, Step())
    assert set(nodes_of(three, "postgres")) == {database}
    assert three.checkout.invoke("smoke", "--engine", "kube_context").code == 0


def test_what_the_autoscaler_adds_is_spread_over_all_nodes(three: App) -> None:
    """More pods than one node had, and some on each: what a node that goes takes away is made good by the others."""
    if not three.cluster.within("kube-system", "").get("deployments", "metrics-server"):
        pytest.skip("this cluster has no metrics-server")
    before = max(nodes_of(three, "backend").values())
    eventually(lambda: test_hpa.condition(three, "ScalingActive") == "True", test_hpa.UP_SECONDS, "the autoscaler gets no metrics")
    with Load(three, [test_hpa.BACKEND], test_hpa.PER_SECOND):
        eventually(lambda: test_hpa.replicas(three) >= max(NODES, before + 1), test_hpa.UP_SECONDS, "it does not scale up")
        spread = nodes_of(three, "backend")
    print("backends under load:", dict(spread))
    assert len(spread) >= NODES
    assert max(spread.values()) - min(spread.values()) <= 1


def diagnoses(app: App) -> list[dict[str, Any]]:
    return [
        event for event in app.checkout.invoke("diagnose", "--engine", "kube_context", "--json").events() if event["event"] == "diagnosis"
    ]


def codes(app: App) -> list[str]:
    return [str(event["code"]) for event in diagnoses(app)]


def eventually(holds: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} within {seconds:g} s"
        time.sleep(2)

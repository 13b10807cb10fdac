"""The engine on a real cluster: a small chart and a small image, from the namespace to `down`."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import tarfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from scripts.config.settings import KubeContext, load_settings
from scripts.core import shell
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Outcome
from scripts.desired.helm_release import HelmRelease
from scripts.desired.images import BaseImage, Image
from scripts.desired.secrets import Secret
from scripts.engines.kube_context import KubeContextEngine
from scripts.images.archive import full_name
from scripts.images.prune import Superfluous
from scripts.kubernetes import helm, service_forward, service_proxy
from scripts.kubernetes.nodes import load, transports
from scripts.kubernetes.own_namespace import POD_SECURITY
from scripts.kubernetes.port_forward import forward
from scripts.machine import docker_client as machine
from tests.cluster.conftest import ClusterContext
from tests.cluster.local_cluster import busybox
from tests.cluster.local_cluster.layout import Layout
from tests.doubles import Step

pytestmark = pytest.mark.cluster

CHART = Path(__file__).parent / "engine_chart"
REPOSITORY = "todo-engine-test"
FILLER_BYTES = 30_000_000
ROLLOUT_SECONDS = 120
SECRET_VALUE = "correct-horse-battery"
CGI = r"""#!/bin/busybox sh
case "$PATH_INFO" in /busy) echo "Status: 503 Service Unavailable" ;; esac
printf 'Content-Type: application/json\r\n\r\n'
printf '{"method": "%s", "body": "%s"}' "$REQUEST_METHOD" "$(/bin/busybox head -c "${CONTENT_LENGTH:-0}")"
"""


@dataclass
class Under:
    """An engine under test, with what it installs."""

    engine: KubeContextEngine
    step: Step = field(default_factory=Step)
    secret: Secret = field(default_factory=lambda: Secret("backend", f"eng-app-backend-{uuid.uuid4().hex[:10]}", {"TOKEN": SECRET_VALUE}))

    def release(self, image: Image, **values: object) -> HelmRelease:
        backend = {"image": {"repository": image.repository, "tag": image.tag}, "secret": {"name": self.secret.name, "keys": ["TOKEN"]}}
        cluster = self.engine.cluster
        return HelmRelease(cluster.release, cluster.namespace, CHART, {"services": {"backend": backend}, **values})

    def up(self, image: Image, **values: object) -> list[Outcome]:
        engine = self.engine
        return [
            engine.decide_start(self.step).carry_out(self.step),
            engine.decide_load([image], self.step).carry_out(self.step),
            engine.decide_secrets([self.secret], self.step).carry_out(self.step),
            engine.decide_install(self.release(image, **values), [self.secret], self.step).carry_out(self.step),
            engine.await_rollout(self.release(image, **values), ROLLOUT_SECONDS, self.step),
        ]


@pytest.fixture(scope="session")
def base_layers() -> Iterator[str]:
    """The lower layers of the test's image: busybox, and bulk that stands for an interpreter and its libraries."""
    files = {"bin/busybox": busybox.find(Layout()).read_bytes(), "filler": os.urandom(FILLER_BYTES)}
    yield from built("base", "FROM scratch\nCOPY bin /bin\nCOPY filler /filler\nENTRYPOINT []\nUSER 10001:10001\n", files)


@pytest.fixture(scope="session")
def image_one(base_layers: str) -> Iterator[Image]:
    yield from image_with("one", base_layers)


@pytest.fixture(scope="session")
def image_two(base_layers: str) -> Iterator[Image]:
    """The image after a change of one line."""
    yield from image_with("two", base_layers)


def image_with(page: str, base: str) -> Iterator[Image]:
    files = {"www/index.html": page.encode(), "www/cgi-bin/echo": CGI.encode()}
    for reference in built(f"{page}", f"FROM {base}\nCOPY www /www\n", files):
        repository, _, tag = reference.partition(":")
        yield Image("backend", repository, tag, CHART, CHART, BaseImage(base, base, ()))


def built(name: str, dockerfile: str, files: dict[str, bytes]) -> Iterator[str]:
    reference = f"{REPOSITORY}:h{name}{uuid.uuid4().hex[:8]}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as context:
        for path, data in {"Dockerfile": dockerfile.encode(), **files}.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o755
            context.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    machine.docker_client().images.build(fileobj=buffer, custom_context=True, tag=reference, rm=True)
    yield reference
    machine.docker_client().images.remove(reference, force=True)


@pytest.fixture
def under(cluster_context: ClusterContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Under]:
    if cluster_context.kubeconfig:
        monkeypatch.setenv("KUBECONFIG", str(cluster_context.kubeconfig))
    wanted = KubeContext(context=cluster_context.context, containerd_socket=str(cluster_context.containerd_socket or ""))
    settings = load_settings().model_copy(
        update={"engine": "kube_context", "kube_context": wanted, "namespace": f"eng-{uuid.uuid4().hex[:8]}", "release": "eng-app"}
    )
    engine = KubeContextEngine(settings)
    yield Under(engine)
    engine.cluster.kubectl("delete", "namespace", settings.namespace, "--ignore-not-found", "--wait=false")
    prune(load.superfluous(engine.transports(), {REPOSITORY}, ()))


def prune(superfluous: Sequence[Superfluous]) -> None:
    for each in superfluous:
        each.remove()


def kinds(outcomes: list[Outcome]) -> list[str]:
    return [outcome.kind for outcome in outcomes]


def test_a_first_up_makes_everything_and_a_second_changes_nothing(under: Under, image_one: Image) -> None:
    assert kinds(under.up(image_one))[:4] == ["unchanged", "changed", "changed", "changed"]
    assert under.engine.deployed()
    started = time.monotonic()
    again = under.up(image_one)
    assert kinds(again) == ["unchanged"] * 5
    print(f"second up: {time.monotonic() - started:.1f} s")
    assert len(helm.history(under.engine.cluster)) == 1


def test_the_namespace_enforces_the_restricted_rules_before_anything_is_in_it(under: Under) -> None:
    under.engine.decide_secrets([], under.step).carry_out(under.step)
    labels = under.engine.cluster.get("namespace", under.engine.cluster.namespace)[0]["metadata"]["labels"]
    assert labels.items() >= POD_SECURITY.items()
    privileged = ("run", "root", "--image=none", "--dry-run=server")
    refusal = under.engine.cluster.kubectl(*privileged, ok=None)
    assert refusal.code == 1
    assert "violates PodSecurity" in refusal.stderr


def test_a_namespace_that_somebody_else_made_is_refused_and_left_alone(under: Under) -> None:
    cluster = under.engine.cluster
    cluster.kubectl("create", "namespace", cluster.namespace)
    before = cluster.get("namespace", cluster.namespace)[0]["metadata"]
    with pytest.raises(InputError, match="was not made by this project"):
        under.engine.decide_secrets([under.secret], under.step).carry_out(under.step)
    with pytest.raises(InputError, match="was not made by this project"):
        under.engine.down(delete_data=True, delete_cluster=False, step=under.step)
    assert cluster.get("namespace", cluster.namespace)[0]["metadata"] == before


def test_a_secret_is_immutable_and_its_value_is_in_no_command_line(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    run = shell.run
    monkeypatch.setattr(shell, "run", lambda argv, **options: (seen.extend(argv), run(argv, **options))[1])
    under.engine.decide_secrets([under.secret], under.step).carry_out(under.step)
    made = under.engine.cluster.get("secret", under.secret.name)[0]
    assert made["immutable"] is True
    assert set(made["data"]) == {"TOKEN"}
    assert "apply" in seen
    assert not any(SECRET_VALUE in word for word in seen)
    assert "last-applied-configuration" not in str(made["metadata"].get("annotations", {}))


def test_an_object_that_was_deleted_by_hand_comes_back_with_the_next_install(under: Under, image_one: Image) -> None:
    under.up(image_one)
    under.engine.cluster.kubectl("delete", "service", "eng-app-backend")
    assert under.engine.decide_install(under.release(image_one), [under.secret], under.step).carry_out(under.step).kind == "changed"
    assert under.engine.cluster.get("service", "eng-app-backend")


def test_an_edit_by_hand_loses_against_the_next_install(under: Under, image_one: Image, image_two: Image) -> None:
    under.up(image_one)
    for workload in ("deployment/eng-app-backend", "statefulset/eng-app-store"):
        under.engine.cluster.kubectl("set", "image", workload, "*=elsewhere:1")
    under.up(image_two)
    assert running(under) == {image_two.reference}


def running(under: Under) -> set[str]:
    return {pod.image for pod in under.engine.pods() if pod.state == "Running"}


def test_a_database_that_never_came_up_is_replaced_by_the_next_install(under: Under, image_one: Image, image_two: Image) -> None:
    """A StatefulSet by itself waits forever for a pod of the broken revision to get ready."""
    under.up(image_one)
    under.engine.decide_install(under.release(image_one, storeCommand=["/bin/busybox", "false"]), [under.secret], under.step).carry_out(
        under.step
    )
    deadline = time.monotonic() + 60
    while all(pod.restarts == 0 for pod in under.engine.pods()) and time.monotonic() < deadline:
        time.sleep(0.5)
    under.up(image_two)
    assert running(under) == {image_two.reference}


@pytest.mark.parametrize("before", [False, True], ids=["install", "upgrade"])
def test_a_release_that_a_killed_helm_left_pending_is_recovered(under: Under, image_one: Image, image_two: Image, before: bool) -> None:
    if before:
        under.up(image_one)
    else:
        under.engine.decide_load([image_one], under.step).carry_out(under.step)
        under.engine.decide_secrets([under.secret], under.step).carry_out(under.step)
    left = kill_helm_half_way(under, image_one, command=["/bin/busybox", "sleep", "600"])
    assert left == ("pending-upgrade" if before else "pending-install")
    outcomes = under.up(image_two)
    assert outcomes[3].kind == "changed"
    history = helm.history(under.engine.cluster)
    assert history[-1].status == "deployed"
    assert running(under) == {image_two.reference}


def kill_helm_half_way(under: Under, image: Image, **values: object) -> str:
    """Kill helm while it waits for pods that never get ready; return the status that it leaves."""
    release = under.release(image, **values)
    argv = under.engine.cluster.helm_argv("upgrade", release.name, str(release.chart), "--install", "--values", "-", "--wait")
    process = subprocess.Popen(
        [shell.which("helm"), *argv[1:]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert process.stdin
    process.stdin.write(release.values_json.encode())
    process.stdin.close()
    deadline = time.monotonic() + 30
    status = ""
    while not status.startswith("pending") and time.monotonic() < deadline:
        time.sleep(0.2)
        history = helm.history(under.engine.cluster)
        status = history[-1].status if history else ""
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return helm.history(under.engine.cluster)[-1].status


def test_rollback_takes_the_last_release_that_came_up_well(under: Under, image_one: Image, image_two: Image) -> None:
    under.up(image_one)
    with pytest.raises(InputError, match="no other healthy release"):
        under.engine.rollback(under.step)
    under.up(image_two)
    prune(under.engine.superfluous([under.secret], [image_two]))
    under.engine.decide_install(under.release(image_two, command=["/bin/busybox", "false"]), [under.secret], under.step).carry_out(
        under.step
    )  # never comes up
    assert "revision 2 is back" in under.engine.rollback(under.step).detail
    under.engine.deployment.await_rollout(ROLLOUT_SECONDS, under.step)
    assert running(under) == {image_two.reference}
    assert "revision 1 is back" in under.engine.rollback(under.step).detail
    under.engine.deployment.await_rollout(ROLLOUT_SECONDS, under.step)
    assert running(under) == {image_one.reference}
    assert under.engine.decide_install(under.release(image_one), [under.secret], under.step).carry_out(under.step).kind == "unchanged"


def test_prune_keeps_what_the_running_release_and_a_rollback_use(under: Under, image_one: Image, image_two: Image) -> None:
    transport = under.engine.transports()[0]
    oldest, kept = under.secret, Secret("backend", "eng-app-backend-kept", {"TOKEN": "second-value"})
    under.up(image_one)
    under.secret = kept
    under.up(image_two)
    prune(under.engine.superfluous([kept], [image_two]))
    assert oldest.name in under.engine.deployment.namespace.secret_names(), "the first release is where a rollback would go"
    under.secret = Secret("backend", "eng-app-backend-third", {"TOKEN": "third-value"})
    under.up(image_two)
    prune(under.engine.superfluous([under.secret], [image_two]))
    assert under.engine.deployment.namespace.secret_names() == {kept.name, under.secret.name}
    assert full_name(image_one.reference) not in transport.images()
    assert full_name(image_two.reference) in transport.images()
    assert not under.engine.cluster.get("secret", oldest.name)


def test_after_a_change_of_one_line_only_its_layer_travels(
    under: Under, image_one: Image, image_two: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under.engine.decide_load([image_one], under.step).carry_out(under.step)
    reading = shell.run(["docker", "save", "--output", str(tmp_path / "read.tar"), image_two.reference], timeout=120).seconds
    send, sizes = transports.ContainerdNode.send, []

    def measured(self: transports.ContainerdNode, archive: Iterable[bytes]) -> None:
        pieces = list(archive)
        sizes.append(sum(map(len, pieces)))
        send(self, pieces)

    monkeypatch.setattr(transports.ContainerdNode, "send", measured)
    started = time.monotonic()
    outcome = under.engine.decide_load([image_two], under.step).carry_out(under.step)
    print(f"{outcome.detail}; archives of {sizes} bytes; {time.monotonic() - started:.2f} s, reading alone takes {reading:.2f} s")
    assert len(sizes) == 1
    assert sizes[0] < 1_000_000 < FILLER_BYTES
    assert full_name(image_two.reference) in under.engine.transports()[0].images()
    assert under.engine.decide_load([image_one, image_two], under.step).carry_out(under.step).kind == "unchanged"


def test_a_layer_that_was_collected_meanwhile_is_sent_after_all(under: Under, image_one: Image, image_two: Image) -> None:
    transport = under.engine.transports()[0]
    under.engine.decide_load([image_one], under.step).carry_out(under.step)
    stale = set(transport._ctr("content", "ls", "--quiet", timeout=60).split())
    transport.remove({full_name(image_one.reference)})
    ctr = transports.ContainerdNode._ctr

    def with_a_stale_list(self: transports.ContainerdNode, *argv: str, **options: object) -> str:
        return "\n".join(stale) if argv[:2] == ("content", "ls") else ctr(self, *argv, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transports.ContainerdNode, "_ctr", with_a_stale_list)
        outcome = under.engine.decide_load([image_two], under.step).carry_out(under.step)
    assert outcome.kind == "changed"
    assert full_name(image_two.reference) in transport.images()


def test_a_forward_survives_the_death_of_its_pod(under: Under, image_one: Image) -> None:
    under.up(image_one)
    cluster = under.engine.cluster
    with forward(cluster, "service/eng-app-backend", 8080) as port:
        assert page(port) == "one"
        cluster.kubectl("delete", "pod", "--selector", "app.kubernetes.io/component=backend", timeout=60)
        cluster.kubectl("rollout", "status", "deployment/eng-app-backend", timeout=60)
        deadline, answer = time.monotonic() + 30, ""
        while answer != "one" and time.monotonic() < deadline:
            time.sleep(0.2)
            answer = page(port)
        assert answer == "one"
        assert listening(port) == ["127.0.0.1"]
    assert page(port) == ""


def page(port: int) -> str:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{port}/index.html", timeout=3) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def listening(port: int) -> list[str]:
    lines = Path("/proc/net/tcp").read_text().splitlines() + Path("/proc/net/tcp6").read_text().splitlines()
    local = [line.split()[1] for line in lines[1:] if len(line.split()) > 3 and line.split()[3] == "0A"]
    return ["127.0.0.1" if a.startswith("0100007F") else a for a in local if a.endswith(f":{port:04X}")]


def test_a_forward_to_nothing_fails_with_what_kubectl_says(under: Under) -> None:
    under.engine.decide_secrets([], under.step).carry_out(under.step)
    with pytest.raises(TaskError) as error, forward(under.engine.cluster, "service/nobody", 80):
        pass
    assert any("not found" in line for line in error.value.evidence)


@pytest.mark.parametrize("way", [service_proxy, service_forward])
def test_a_request_brings_back_the_real_status_and_body(under: Under, image_one: Image, way: ModuleType) -> None:
    under.up(image_one)
    with way.open_client(under.engine.cluster) as request:
        assert (request("backend", "GET", "/index.html").status, request("backend", "GET", "/index.html").body) == (200, "one")
        posted = request("backend", "POST", "/cgi-bin/echo", body="todo")
        assert (posted.status, posted.body) == (200, '{"method": "POST", "body": "todo"}')
        busy = request("backend", "GET", "/cgi-bin/echo/busy")
        assert (busy.status, '"method": "GET"' in busy.body) == (503, True)
        assert request("backend", "GET", "/nothing").status == 404
        if way is service_proxy:
            assert request("nobody", "GET", "/").status == 404
        else:
            with pytest.raises(TaskError, match="service/eng-app-nobody cannot be forwarded"):
                request("nobody", "GET", "/")
    assert threading.active_count() < 10


def test_down_keeps_the_volume_and_a_second_down_finds_nothing(under: Under, image_one: Image) -> None:
    under.up(image_one)
    under.engine.cluster.kubectl("exec", "eng-app-store-0", "--", "/bin/busybox", "sh", "-c", "echo kept > /data/note")
    first = under.engine.down(delete_data=False, delete_cluster=False, step=under.step)
    assert "kept the data (volume data-eng-app-store-0)" in first.detail
    assert under.engine.cluster.get("pods,services,statefulsets,secrets") == []
    assert under.engine.down(delete_data=False, delete_cluster=False, step=under.step).kind == "unchanged"
    under.up(image_one)
    read = under.engine.cluster.kubectl("exec", "eng-app-store-0", "--", "/bin/busybox", "cat", "/data/note").stdout
    assert read == "kept\n"
    last = under.engine.down(delete_data=True, delete_cluster=False, step=under.step)
    assert f"namespace {under.engine.cluster.namespace}" in last.detail
    assert under.engine.cluster.get("namespace", under.engine.cluster.namespace) == []
    assert under.engine.down(delete_data=True, delete_cluster=False, step=under.step).kind == "unchanged"


def test_a_cluster_that_is_not_ours_is_not_deleted(under: Under) -> None:
    with pytest.raises(InputError, match="was not made by this project"):
        under.engine.down(delete_data=True, delete_cluster=True, step=under.step)


def test_preflight_finds_the_cluster_fit_and_the_images_road(under: Under) -> None:
    assert under.engine.preflight() == []
    assert under.engine.unusable() == ""
    assert not under.engine.deployed()

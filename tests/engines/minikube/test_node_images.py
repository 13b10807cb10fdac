"""How images get into Minikube's nodes."""

from __future__ import annotations

import json
import tarfile
import threading
from pathlib import Path

import pytest

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.engines.minikube.engine import MinikubeEngine
from scripts.images.archive import Archive, full_name, read_saved
from scripts.kubernetes.nodes import load
from scripts.kubernetes.nodes.transports import ContainerdNode, DockerdNode, NodeTransport
from tests.doubles import Step
from tests.engines.minikube.answers import PLATFORM, PROFILES, profile
from tests.kubernetes.saved_images import saved_images
from tests.programs import ANY, Programs, Reply, recorded

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("changes", "transport"),
    [
        ({}, ContainerdNode("todo", ("docker", "exec", "-i", "todo", "ctr"))),
        ({"runtime": "docker"}, DockerdNode("todo", ("docker", "exec", "-i", "todo", "docker"))),
    ],
    ids=["containerd", "docker runtime"],
)
def test_a_node_that_is_a_container_is_reached_through_docker(
    programs: Programs, settings: Settings, changes: dict[str, str], transport: object
) -> None:
    settings = settings.model_copy(update={"minikube": settings.minikube.model_copy(update=changes)})
    programs.tell(PROFILES, profile(settings))
    assert MinikubeEngine(settings).transports() == [transport]


def send(transport: NodeTransport, saved: Path, step: Step) -> Archive:
    with tarfile.open(saved) as source:
        (image,) = read_saved(source, PLATFORM)
    turns = {(transport.node, layer.digest): threading.Lock() for layer in image.layers}
    return load._send(transport, image, saved, turns, step)


BASE, TOP = b"base" * 100, b"top"
NAME = full_name("todo-backend:h1")


LISTED = {
    "containerd": [{"id": "sha256:1", "repoDigests": [], "repoTags": [NAME], "size": "1"}],
    "docker through crictl": [{"id": "1", "repoDigests": None, "repoTags": ["todo-backend:h1"], "size": "1"}],
    "images without tags": [{"id": "2", "repoDigests": [], "repoTags": None, "size": "1"}, {"id": "1", "repoTags": [NAME]}],
}


@pytest.mark.parametrize("listed", LISTED.values(), ids=LISTED)
def test_a_node_in_a_machine_is_asked_through_minikube(programs: Programs, settings: Settings, listed: list[object]) -> None:
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply(json.dumps(listed)))
    (transport,) = MinikubeEngine(settings).transports()
    assert NAME in transport.images()


@pytest.mark.parametrize("empty", ["[]", "null", ""])
def test_a_node_that_lists_nothing_has_nothing(programs: Programs, settings: Settings, empty: str) -> None:
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply(empty))
    assert MinikubeEngine(settings).transports()[0].images() == {}


def test_a_load_that_ends_well_and_brings_nothing_is_a_failure(programs: Programs, settings: Settings, step: Step, tmp_path: Path) -> None:
    """`minikube image load` exits with 0 when it fails, so only the node's own list counts."""
    programs.tell(PROFILES, profile(settings, Driver="kvm2"))
    programs.tell(("minikube", "ssh", "--profile", "todo", "--", "sudo", "ctr", "--namespace", "k8s.io", "content", "ls", "--quiet"))
    programs.tell(("minikube", "image", "load", "--profile", "todo", ANY))
    programs.tell(("minikube", "image", "ls", "--profile", "todo", "--format", "json"), Reply("[]"))
    (transport,) = MinikubeEngine(settings).transports()
    with pytest.raises(TaskError, match=r"todo does not list docker\.io/library/todo-backend:h1"):
        send(transport, saved_images(tmp_path, {"todo-backend:h1": (BASE, TOP)}), step)
    assert len(programs.asked("minikube", "image", "load")) == 2, "first without the layers that are there, then whole"


def test_an_import_that_fails_without_some_layers_is_made_again_with_all(programs: Programs, step: Step, tmp_path: Path) -> None:
    """What containerd 1.6 says, and leaves behind, when a layer was collected between the list and the import."""
    transport = ContainerdNode("todo", ("docker", "exec", "-i", "todo", "ctr"))
    ctr = (*transport.ctr, "--namespace", "k8s.io")
    broken, whole = recorded("containerd-1.6.20/check-after-failed-import"), recorded("containerd-1.6.20/check-after-import")
    programs.tell((*ctr, "content", "ls", "--quiet"), Reply("sha256:" + "0" * 64 + "\n"))
    programs.tell((*ctr, "images", "import", "-"), recorded("containerd-1.6.20/import-without-a-layer"), Reply())
    programs.tell((*ctr, "images", "check"), broken, whole)
    name = "docker.io/library/eng-one:h2"
    assert send(transport, saved_images(tmp_path, {"eng-one:h2": (BASE, TOP)}), step).left_out == 0
    assert name in transport.images()

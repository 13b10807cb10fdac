"""What travels to nodes: each layer once to each node that lacks it, and images side by side."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Barrier

import pytest

from scripts.core.report import Outcome
from scripts.desired.images import BaseImage, Image
from scripts.images.archive import Archive, SavedImage, full_name, oci_archive
from scripts.kubernetes.nodes import load
from tests.doubles import Step
from tests.kubernetes.saved_images import saved_images
from tests.programs import on_path

pytestmark = pytest.mark.unit

BASE = b"base" * 100
Layers = Mapping[str, tuple[bytes, ...]]
Bring = Callable[..., Outcome]


class Node:
    """A node that imports what comes, as containerd does: all that an image names must have come, or be there."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.blobs: set[str] = set()
        self.names: set[str] = set()
        self.ids: dict[str, str] = {}
        self.received = 0
        self.at_once = Barrier(1)

    def images(self) -> dict[str, str]:
        return {name: self.ids.get(name, name) for name in self.names}

    def archive(self, saved: tarfile.TarFile, image: SavedImage, *, include_existing_layers: bool) -> Archive:
        return oci_archive(saved, image, () if include_existing_layers else set(self.blobs))

    def send(self, archive: Iterable[bytes]) -> None:
        self.at_once.wait(timeout=20)
        time.sleep(0.1)
        with tarfile.open(fileobj=io.BytesIO(b"".join(archive))) as tar:
            files = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
        (entry,) = json.loads(files["index.json"])["manifests"]
        layers = [layer["digest"] for layer in json.loads(files[path(entry["digest"])])["layers"]]
        came = {digest for digest in layers if path(digest) in files}
        assert came | self.blobs >= set(layers)
        self.received += sum(len(files[path(digest)]) for digest in came)
        self.blobs |= came
        name = entry["annotations"]["io.containerd.image.name"]
        self.names.add(name)
        self.ids.pop(name, None)

    def remove(self, names: Collection[str]) -> None:
        raise AssertionError


def path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bring:
    """Load images of these layers into nodes."""
    copy = shutil.which("cp")
    docker = on_path(tmp_path / "bin", monkeypatch).folder / "docker"
    monkeypatch.setattr(load, "SCRATCH", tmp_path / "scratch")

    def run(nodes: Sequence[Node], images: Layers, ids_here: str = "") -> Outcome:
        save = f"exec {copy} '{saved_images(tmp_path, images)}' \"$3\"  # docker save --output FILE IMAGE..."
        docker.write_text(f"#!/bin/sh\n[ $1 = save ] || {{ shift 4; printf '%s\\n' {ids_here or '$@'}; exit; }}\n{save}\n")
        docker.chmod(0o755)
        names = [reference.partition(":") for reference in images]
        wanted = [Image(name, name, tag, tmp_path, tmp_path, BaseImage("", "", ())) for name, _, tag in names]
        return load.decide(nodes, wanted).carry_out(Step())

    return run


def test_images_that_share_no_layer_go_side_by_side(bring: Bring) -> None:
    node = Node("todo")
    node.at_once = Barrier(3)
    bring([node], {"a:1": (b"a",), "b:1": (b"b",), "c:1": (b"c",)})
    assert node.names == {full_name(each) for each in ("a:1", "b:1", "c:1")}


def test_a_layer_that_images_share_travels_once_to_each_node_that_lacks_it(bring: Bring) -> None:
    images = {f"service{number}:1": (BASE, f"top {number}".encode()) for number in range(6)}
    nodes = [Node("todo"), Node("todo-m02"), Node("todo-m03")]
    nodes[1].blobs = {f"sha256:{hashlib.sha256(BASE).hexdigest()}"}
    nodes[2].names = {full_name(name) for name in list(images)[1:]}
    outcome = bring(nodes, images)
    tops = 6 * len(b"top 0")
    assert [node.received for node in nodes] == [len(BASE) + tops, tops, len(BASE) + len(b"top 0")]
    assert outcome.detail.startswith("6 images: ")
    assert all(len(node.names) == 6 for node in nodes)


@pytest.mark.parametrize(("ids_here", "sent"), [("", "2 images: "), ("one", "2 images there")], ids=["two images here", "one image here"])
def test_images_of_ours_that_are_one_on_a_node_come_again_where_they_are_not_here(bring: Bring, ids_here: str, sent: str) -> None:
    node = Node("todo")
    node.names = {full_name(each) for each in ("a:1", "b:1")}
    node.ids = dict.fromkeys(node.names, "one")
    outcome = bring([node], {"a:1": (b"a",), "b:1": (b"b",)}, ids_here)
    assert outcome.detail.startswith(sent)
    assert bool(node.ids) is bool(ids_here)


def test_a_load_leaves_no_archive_behind(bring: Bring, tmp_path: Path) -> None:
    bring([Node("todo")], {"a:1": (b"a",)})
    assert list((tmp_path / "scratch").iterdir()) == []

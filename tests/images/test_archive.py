"""Archives of both layouts that `docker save` writes, and what goes to a node that has some of their layers."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator

import pytest

from scripts.core.errors import TaskError
from scripts.images.archive import CHUNK, digest_of, docker_archive, full_name, oci_archive, read_saved

pytestmark = pytest.mark.unit

PLATFORM = "linux/amd64"
BASE, MIDDLE, TOP = b"base" * 1000, b"middle" * 500, b"top"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def archive(files: dict[str, bytes], links: dict[str, str] | None = None) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def config(*layers: bytes) -> bytes:
    return json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest(x) for x in layers]}}
    ).encode()


def legacy(*images: tuple[str, tuple[bytes, ...]]) -> tarfile.TarFile:
    """What Docker 20.10 writes: a folder a layer, a layer that two images share as a link to the first one."""
    files, links, manifest, first = {}, {}, [], {}
    for number, (tag, layers) in enumerate(images):
        paths = []
        for depth, layer in enumerate(layers):
            path = f"{number}{depth}{'0' * 60}/layer.tar"
            paths.append(path)
            if layer in first:
                links[path] = f"../{first[layer]}"
            else:
                first[layer] = path
                files[path] = layer
        blob = config(*layers)
        files[f"{digest(blob)[7:]}.json"] = blob
        manifest.append({"Config": f"{digest(blob)[7:]}.json", "RepoTags": [tag], "Layers": paths})
    return archive({**files, "manifest.json": json.dumps(manifest).encode()}, links)


def layout(tag: str, layers: tuple[bytes, ...], *, compress: bool = False, platforms: bool = False) -> tarfile.TarFile:
    """What Docker 25 and newer write: an OCI layout; with the containerd store compressed, and an index over platforms."""
    blobs: dict[str, bytes] = {}

    def put(data: bytes, media_type: str) -> dict[str, object]:
        blobs[f"blobs/sha256/{digest(data)[7:]}"] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if compress else "")
    descriptors = [put(gzip.compress(layer, mtime=0) if compress else layer, kind) for layer in layers]
    manifest = {"schemaVersion": 2, "config": put(config(*layers), "application/vnd.oci.image.config.v1+json"), "layers": descriptors}
    entry = put(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json")
    if platforms:
        other = {**entry, "digest": digest(b"not in the archive"), "platform": {"os": "linux", "architecture": "arm64"}}
        attestation = {**other, "platform": {"os": "unknown", "architecture": "unknown"}}
        index = {"manifests": [other, {**entry, "platform": {"os": "linux", "architecture": "amd64"}}, attestation]}
        entry = put(json.dumps(index).encode(), "application/vnd.oci.image.index.v1+json")
    annotations = {"io.containerd.image.name": full_name(tag), "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}
    index_json = json.dumps({"schemaVersion": 2, "manifests": [{**entry, "annotations": annotations}]}).encode()
    docker = [{"Config": "blobs/sha256/x", "RepoTags": [tag], "Layers": []}]
    return archive({**blobs, "index.json": index_json, "manifest.json": json.dumps(docker).encode()})


Sent = tuple[int, int]


def files_in(pieces: Iterator[bytes]) -> dict[str, bytes]:
    """What a tar archive holds, in its order."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def written(saved: tarfile.TarFile, present: set[str]) -> tuple[Sent, dict[str, bytes]]:
    (image,) = read_saved(saved, PLATFORM)
    made = oci_archive(saved, image, present)
    return (made.bytes, made.left_out), files_in(made.pieces)


def blob(files: dict[str, bytes], descriptor: dict[str, object]) -> bytes:
    data = files[f"blobs/{str(descriptor['digest']).replace(':', '/')}"]
    assert digest(data) == descriptor["digest"]
    assert len(data) == descriptor["size"]
    return data


@pytest.mark.parametrize(
    "saved",
    [
        legacy(("todo-backend:h1", (BASE, MIDDLE, TOP))),
        layout("todo-backend:h1", (BASE, MIDDLE, TOP)),
        layout("todo-backend:h1", (BASE, MIDDLE, TOP), compress=True),
        layout("todo-backend:h1", (BASE, MIDDLE, TOP), compress=True, platforms=True),
    ],
    ids=["docker 20.10", "docker 25, classic store", "docker 25, containerd store", "docker 25, several platforms"],
)
def test_an_archive_for_an_empty_node_is_a_whole_and_valid_layout(saved: tarfile.TarFile) -> None:
    _, files = written(saved, set())
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files["index.json"])["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/library/todo-backend:h1"
    manifest = json.loads(blob(files, entry))
    assert json.loads(blob(files, manifest["config"]))["rootfs"]["diff_ids"] == [digest(layer) for layer in (BASE, MIDDLE, TOP)]
    for descriptor, layer in zip(manifest["layers"], (BASE, MIDDLE, TOP), strict=True):
        data = blob(files, descriptor)
        assert (gzip.decompress(data) if descriptor["mediaType"].endswith("+gzip") else data) == layer


def test_a_layer_that_the_node_has_is_left_out_and_still_named_in_the_manifest() -> None:
    sent, files = written(legacy(("todo-backend:h1", (BASE, MIDDLE, TOP))), {digest(BASE), digest(MIDDLE)})
    assert sent == (len(TOP), len(BASE) + len(MIDDLE))
    (entry,) = json.loads(files["index.json"])["manifests"]
    layers = json.loads(blob(files, entry))["layers"]
    assert [layer["digest"] for layer in layers] == [digest(BASE), digest(MIDDLE), digest(TOP)]
    assert f"blobs/sha256/{digest(BASE)[7:]}" not in files
    assert files[f"blobs/sha256/{digest(TOP)[7:]}"] == TOP


def test_the_same_image_has_the_same_layer_digests_from_an_old_and_a_new_docker() -> None:
    """So a node that was filled by the one need not get anything again from the other."""
    old, new = legacy(("a:1", (BASE, TOP))), layout("a:1", (BASE, TOP))
    digests = [[layer.digest for layer in read_saved(saved, PLATFORM)[0].layers] for saved in (old, new)]
    assert digests[0] == digests[1] == [digest(BASE), digest(TOP)]


def test_a_compressed_layer_is_known_by_its_compressed_digest() -> None:
    saved = layout("a:1", (BASE, TOP), compress=True)
    compressed = digest(gzip.compress(BASE, mtime=0))
    assert written(saved, {digest(BASE)})[0][1] == 0, "the node's uncompressed layer is other bytes"
    assert written(saved, {compressed})[0][1] == len(gzip.compress(BASE, mtime=0))


def test_a_layer_that_two_images_share_is_in_the_archive_of_each() -> None:
    """`docker save` writes it once, and links to it; which of the two brings it to a node is not known here."""
    saved = legacy(("a:1", (BASE, MIDDLE)), ("b:1", (BASE, TOP)))
    for image in read_saved(saved, PLATFORM):
        assert files_in(oci_archive(saved, image, ()).pieces)[f"blobs/sha256/{digest(BASE)[7:]}"] == BASE


def test_an_archive_that_ends_early_names_no_image() -> None:
    """Whoever imports it while it is made sees an end, and no error, when we are killed between two files."""
    _, files = written(legacy(("todo-backend:h1", (BASE, MIDDLE, TOP))), set())
    assert list(files)[-1] == "index.json"
    assert list(docker_written(legacy(("todo-backend:h1", (BASE, TOP))), [])[1])[-1] == "manifest.json"


@pytest.mark.parametrize("size", [0, 1, tarfile.BLOCKSIZE - 1, tarfile.BLOCKSIZE, tarfile.BLOCKSIZE + 1, 3 * CHUNK + 7])
def test_a_layer_of_any_size_is_whole_in_the_archive(size: int) -> None:
    layer = bytes(size)
    assert written(legacy(("a:1", (BASE, layer))), set())[1][f"blobs/sha256/{digest(layer)[7:]}"] == layer


def test_an_image_for_another_platform_alone_is_refused() -> None:
    with pytest.raises(TaskError, match="nothing for linux/s390x"):
        read_saved(layout("a:1", (BASE,), platforms=True), "linux/s390x")


def test_an_archive_of_no_known_layout_is_refused() -> None:
    with pytest.raises(TaskError, match="neither"):
        read_saved(archive({"something": b"else"}), PLATFORM)


def test_an_archive_without_one_of_its_parts_is_refused_with_the_parts_name() -> None:
    manifest = json.dumps([{"Config": "gone.json", "RepoTags": ["a:1"], "Layers": []}]).encode()
    with pytest.raises(TaskError, match=r"lacks gone\.json"):
        read_saved(archive({"manifest.json": manifest}), PLATFORM)


def docker_written(saved: tarfile.TarFile, present: list[list[str]]) -> tuple[Sent, dict[str, bytes]]:
    (image,) = read_saved(saved, PLATFORM)
    made = docker_archive(saved, image, present)
    return (made.bytes, made.left_out), files_in(made.pieces)


def test_docker_gets_a_layer_again_unless_it_has_it_on_the_same_layers() -> None:
    saved = legacy(("todo-backend:h1", (BASE, MIDDLE, TOP)))
    there, files = docker_written(saved, [[digest(BASE), digest(MIDDLE)]])
    assert there == (len(TOP), len(BASE) + len(MIDDLE))
    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == ["todo-backend:h1"]
    assert len(entry["Layers"]) == 3
    assert [path in files for path in entry["Layers"]] == [False, False, True]
    elsewhere, _ = docker_written(saved, [[digest(MIDDLE)], [digest(TOP), digest(BASE)]])
    assert elsewhere[1] == 0


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("todo-backend:h1", "docker.io/library/todo-backend:h1"),
        ("library/a:1", "docker.io/library/a:1"),
        ("someone/a:1", "docker.io/someone/a:1"),
        ("localhost/a:1", "localhost/a:1"),
        ("localhost:5000/a:1", "localhost:5000/a:1"),
        ("registry.example.com/team/a:1", "registry.example.com/team/a:1"),
        ("docker.io/library/a:1", "docker.io/library/a:1"),
    ],
)
def test_a_full_name_is_the_one_that_containerd_knows(reference: str, full: str) -> None:
    assert full_name(reference) == full


def test_a_digest_is_the_sha256_of_the_bytes() -> None:
    assert digest_of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

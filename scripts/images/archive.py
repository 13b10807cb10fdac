"""Turns what `docker save` wrote into an archive for a node that leaves out the layers which the node has already.

`docker save` writes one of two layouts: up to Docker 24 a folder a layer with an uncompressed `layer.tar`, from Docker 25 on
an OCI image layout, whose layers are uncompressed with the classic image store and compressed with the containerd store. In
all of them a layer's blob is known by the SHA-256 of the bytes as they stand in the archive; uncompressed, that is the
layer's `diff_id` in the image's configuration. Formats: OCI image-spec 1.1 (image-layout.md, manifest.md), Docker image
specification 1.2 ("Combined Image JSON + Filesystem Changeset Format").
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scripts.core.errors import TaskError

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
INDEXES = {INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"}
IMAGE_NAME = "io.containerd.image.name"  # what containerd calls the imported image
LIBRARY = "docker.io/library/"  # where an image is that names no other place
REF_NAME = "org.opencontainers.image.ref.name"
CHUNK = 1 << 20

Json = dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """A layer's blob as it stands in the saved archive."""

    digest: str
    diff_id: str
    size: int
    media_type: str
    member: str


@dataclass(frozen=True)
class SavedImage:
    """One image of a saved archive."""

    name: str
    config: bytes
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Archive:
    """A tar archive for a node, made while it is read, once; and how many bytes of layers are in it, and left out of it."""

    pieces: Iterator[bytes]
    bytes: int
    left_out: int


def full_name(reference: str) -> str:
    """Return an image's name as containerd knows it: with registry and namespace (`docker.io/library/` where none is named)."""
    first, slash, _ = reference.partition("/")
    if not slash:
        return f"{LIBRARY}{reference}"
    return reference if "." in first or ":" in first or first == "localhost" else f"docker.io/{reference}"


def digest_of(data: bytes) -> str:
    """Return the OCI digest of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def read_saved(saved: tarfile.TarFile, platform: str) -> list[SavedImage]:
    """Return the images in an archive of `docker save`.

    platform: as Docker names it (`linux/amd64`); of an image that holds several, the one to take.
    Raises TaskError when the archive has neither layout, or lacks a part.
    """
    names = set(saved.getnames())
    if "index.json" in names:
        return _read_layout(saved, platform)
    if "manifest.json" in names:
        return _read_legacy(saved)
    raise TaskError(
        "the archive that `docker save` wrote has neither an index.json nor a manifest.json", "docker version", code="image-archive-invalid"
    )


def _read_legacy(saved: tarfile.TarFile) -> list[SavedImage]:
    images = []
    for entry in json.loads(_read(saved, "manifest.json")):
        config = _read(saved, entry["Config"])
        diff_ids = json.loads(config)["rootfs"]["diff_ids"]
        layers = tuple(
            Layer(diff_id, diff_id, _member(saved, path).size, LAYER, path) for diff_id, path in zip(diff_ids, entry["Layers"], strict=True)
        )
        images += [SavedImage(full_name(tag), config, layers) for tag in entry["RepoTags"] or ()]
    return images


def _read_layout(saved: tarfile.TarFile, platform: str) -> list[SavedImage]:
    images = []
    for entry in json.loads(_read(saved, "index.json"))["manifests"]:
        name = entry.get("annotations", {}).get(IMAGE_NAME)
        if not name:
            continue
        manifest = _manifest_for(saved, entry, platform)
        config = _read(saved, _blob_path(manifest["config"]["digest"]))
        diff_ids = json.loads(config)["rootfs"]["diff_ids"]
        layers = tuple(
            Layer(layer["digest"], diff_id, layer["size"], layer["mediaType"], _blob_path(layer["digest"]))
            for diff_id, layer in zip(diff_ids, manifest["layers"], strict=True)
        )
        images.append(SavedImage(full_name(name), config, layers))
    return images


def _manifest_for(saved: tarfile.TarFile, descriptor: Json, platform: str) -> Json:
    """Return the manifest that a descriptor leads to: through an index, the one for the platform."""
    document: Json = json.loads(_read(saved, _blob_path(descriptor["digest"])))
    if document.get("mediaType", descriptor.get("mediaType")) not in INDEXES and "manifests" not in document:
        return document
    for child in document["manifests"]:
        its = child.get("platform", {})
        if f"{its.get('os')}/{its.get('architecture')}" == platform:
            return _manifest_for(saved, child, platform)
    raise TaskError(f"the saved image has nothing for {platform}", "invoke build", code="image-archive-invalid")


def oci_archive(saved: tarfile.TarFile, image: SavedImage, present: Collection[str]) -> Archive:
    """Return an OCI archive of the image without the layers whose digest is in `present`, for `ctr images import`.

    containerd takes a layer that the archive lacks from its own store, and refuses the archive when it is not there. The index comes last:
    of an archive that ends early containerd makes no image.
    """
    manifest = _json(_manifest(image))
    annotations = {IMAGE_NAME: image.name, REF_NAME: image.name.rpartition(":")[2]}
    entry = {**_descriptor(MANIFEST, manifest), "annotations": annotations}
    ends = {
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        **{_blob_path(digest_of(data)): data for data in (image.config, manifest)},
        "index.json": _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}),
    }
    needed = {_blob_path(layer.digest): layer for layer in image.layers if layer.digest not in present}
    return _archive(saved, image, needed, ends)


def docker_archive(saved: tarfile.TarFile, image: SavedImage, present: Collection[Sequence[str]]) -> Archive:
    """Return an archive for `docker load` without the layers that the engine has.

    present: the `diff_id`s of each image that the engine has, lowest layer first. Docker knows a layer by all that is below it,
    so a layer may be left out only when an image has it on the same ones; then its file is never read.
    """
    chains = {tuple(chain[:length]) for chain in present for length in range(1, len(chain) + 1)}
    chain = [layer.diff_id for layer in image.layers]
    paths = [f"{diff_id.partition(':')[2]}.tar" for diff_id in chain]
    needed = {
        path: layer for depth, (path, layer) in enumerate(zip(paths, image.layers, strict=True), 1) if tuple(chain[:depth]) not in chains
    }
    config = f"{digest_of(image.config).partition(':')[2]}.json"
    manifest = [{"Config": config, "RepoTags": [image.name.removeprefix(LIBRARY)], "Layers": paths}]
    return _archive(saved, image, needed, {config: image.config, "manifest.json": _json(manifest)})


def _archive(saved: tarfile.TarFile, image: SavedImage, needed: Mapping[str, Layer], ends: Mapping[str, bytes]) -> Archive:
    """Return an archive of layers and, after them, of files that name them."""
    total = sum({layer.digest: layer.size for layer in image.layers}.values())
    travelling = sum({layer.digest: layer.size for layer in needed.values()}.values())
    members = {path: _member(saved, layer.member) for path, layer in needed.items()}

    def pieces() -> Iterator[bytes]:
        for path, member in members.items():
            yield _header(path, member.size)
            source = saved.extractfile(member)
            while source and (piece := source.read(CHUNK)):
                yield piece
            yield _padding(member.size)
        for path, data in ends.items():
            yield _header(path, len(data)) + data + _padding(len(data))
        yield bytes(2 * tarfile.BLOCKSIZE)

    return Archive(pieces(), travelling, total - travelling)


def _header(path: str, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size = size
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    """The zeros that fill the last block of a file in a tar archive."""
    return bytes(-size % tarfile.BLOCKSIZE)


def _manifest(image: SavedImage) -> Json:
    layers = [{"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size} for layer in image.layers]
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": _descriptor(CONFIG, image.config), "layers": layers}


def _descriptor(media_type: str, data: bytes) -> Json:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _blob_path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/', 1)}"


def _member(saved: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    """Return the file that a name stands for: `docker save` writes a layer that two images share once, and links to it."""
    try:
        info = saved.getmember(name)
        while info.issym() or info.islnk():
            folder = posixpath.dirname(name) if info.issym() else ""
            name = posixpath.normpath(posixpath.join(folder, info.linkname))
            info = saved.getmember(name)
    except KeyError:
        raise TaskError(
            f"the archive that `docker save` wrote lacks {name}", "build the image again: invoke build", code="image-archive-invalid"
        ) from None
    return info


def _read(saved: tarfile.TarFile, name: str) -> bytes:
    file = saved.extractfile(_member(saved, name))
    return file.read() if file else b""

"""Archives as `docker save` of Docker 20.10 writes them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path


def saved_images(folder: Path, images: Mapping[str, tuple[bytes, ...]]) -> Path:
    """What `docker save` writes for images of these layers."""
    files: dict[str, bytes] = {}
    manifest = []
    for image, layers in images.items():
        digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
        paths = {f"{digest[7:]}/layer.tar": layer for digest, layer in zip(digests, layers, strict=True)}
        config = json.dumps({"rootfs": {"diff_ids": digests}}).encode()
        files |= {**paths, f"{image}.json": config}
        manifest.append({"Config": f"{image}.json", "RepoTags": [image], "Layers": list(paths)})
    path = folder / "saved.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in {**files, "manifest.json": json.dumps(manifest).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path

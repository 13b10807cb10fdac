"""The image that the small releases are made of, on every node: once for an unprivileged user and once for root."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.context import ClusterContext
from tests.cluster.local_cluster import busybox, images
from tests.cluster.local_cluster.layout import Layout
from tests.faults import releases


def send(context: ClusterContext, folder: Path) -> None:
    """Make both images, and put them on every node."""
    files = {
        "bin/busybox": busybox.find(Layout()).read_bytes(),
        "bin/answer": releases.ANSWER.encode(),
        "bin/connect": releases.CONNECT.encode(),
    }
    for name, user in ((releases.IMAGE, releases.USER), (releases.ROOT_IMAGE, "")):
        archive = folder / "image.tar"
        archive.write_bytes(images.static_image(name, files, ["/bin/sh"], releases.APPLETS, user))
        context.load_archive(archive)

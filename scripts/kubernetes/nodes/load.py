"""Images into nodes: by tag, then by layer, each node's own list asked before and after."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from rich.filesize import decimal

from scripts.core import shell
from scripts.core.counting import several
from scripts.core.decision import Change, Decision
from scripts.core.errors import TaskError
from scripts.core.paths import SCRATCH
from scripts.core.report import Outcome, StepReport, changed
from scripts.core.shell import CommandError
from scripts.desired.images import Image
from scripts.images.archive import Sent, full_name, read_saved
from scripts.images.prune import Superfluous
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.machine.docker_client import CLI_ENVIRONMENT

SAVE_SECONDS = 600
AT_ONCE = 8
"""Nodes that are asked side by side."""


def decide(transports: Sequence[NodeTransport], images: Sequence[Image]) -> Decision:
    """Decide what each node is to be sent: what it lacks by its own list."""
    wanted = {full_name(image.reference): image.reference for image in images}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        there = list(pool.map(lambda transport: transport.images(), transports))
    lacking = {
        transport.node: {name: wanted[name] for name in wanted.keys() - has} for transport, has in zip(transports, there, strict=True)
    }
    changes = tuple(
        Change(f"load {reference}", f"{node} lacks it") for node, names in lacking.items() for reference in sorted(names.values())
    )
    return Decision(
        f"{several(len(images), 'image')} there", changes, partial(_load, transports, lacking, images[0].platform if images else "")
    )


def _load(transports: Sequence[NodeTransport], lacking: Mapping[str, Mapping[str, str]], platform: str, step: StepReport) -> Outcome:
    """Send each node what it lacks, and verify by the node's own list.

    lacking: by node, full names with their `repository:tag`. Raises TaskError when a node still lacks an image after all of it was sent.
    """
    missing = sorted({reference for names in lacking.values() for reference in names.values()})
    step.progress(f"reading {', '.join(missing)}")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        saved = Path(folder) / "saved.tar"
        shell.run(["docker", "save", "--output", str(saved), *missing], timeout=SAVE_SECONDS, env=CLI_ENVIRONMENT)
        sent = [_send(transport, saved, names, platform, step) for transport in transports if (names := lacking[transport.node])]
    travelled, left_out = sum(each.bytes for each in sent), sum(each.left_out for each in sent)
    return changed(f"{several(len(missing), 'image')}: {decimal(travelled)} sent, {decimal(left_out)} were there")


def _send(transport: NodeTransport, saved: Path, names: Collection[str], platform: str, step: StepReport) -> Sent:
    """Send images to one node: without the layers that it has, and, if that leaves one incomplete, whole."""
    for whole in (False, True):
        archive = saved.with_name(f"{transport.node}.tar")
        with tarfile.open(saved) as source, archive.open("wb") as out:
            chosen = [image for image in read_saved(source, platform) if image.name in names]
            sent = transport.writer(include_existing_layers=whole)(source, chosen, out)
        step.progress(f"sending {decimal(sent.bytes)} to {transport.node}")
        try:
            transport.send(archive)
        except CommandError:
            if whole:
                raise
        finally:
            archive.unlink()
        absent = sorted(set(names) - transport.images())
        if not absent:
            return sent
    raise TaskError(
        f"{transport.node} does not list {', '.join(absent)} after they were sent",
        "look for errors of the container runtime there",
        code="load-failed",
    )


def superfluous(
    transports: Sequence[NodeTransport], repositories: Collection[str], keep: Collection[str], named: Collection[str] | None = None
) -> list[Superfluous]:
    """Return the nodes' images of these repositories whose `repository:tag` is not in `keep`; where some are named, only of those."""
    ours = tuple(f"{full_name(repository)}:" for repository in repositories)
    kept = {full_name(reference) for reference in keep}
    chosen = None if named is None else {full_name(reference) for reference in named}
    return [
        Superfluous(transport.node, name, partial(transport.remove, [name]))
        for transport in transports
        for name in sorted({name for name in transport.images() if name.startswith(ours)} - kept)
        if chosen is None or name in chosen
    ]

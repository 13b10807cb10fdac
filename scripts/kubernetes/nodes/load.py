"""Images into nodes: by tag, then by layer, each node's own list asked before and after."""

from __future__ import annotations

import tarfile
import tempfile
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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
from scripts.images.archive import LIBRARY, Archive, SavedImage, full_name, read_saved
from scripts.images.prune import Superfluous
from scripts.kubernetes.nodes.transports import NodeTransport
from scripts.machine.docker_client import CLI_ENVIRONMENT

SAVE_SECONDS = 600
INSPECT_SECONDS = 30
AT_ONCE = 8
"""Nodes that are asked, and images that are sent, side by side."""
Turns = Mapping[tuple[str, str], threading.Lock]
"""By node and layer: images that share a layer go one after another, so that the later ones find it on the node."""


def decide(transports: Sequence[NodeTransport], images: Sequence[Image]) -> Decision:
    """Decide what each node is to be sent: what it lacks by its own list."""
    wanted = {full_name(image.reference): image.reference for image in images}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        there = list(pool.map(lambda transport: transport.images(), transports))
    changes, lacking = [], {}
    for transport, has in zip(transports, there, strict=True):
        absent, others = wanted.keys() - has, moved(has, list(wanted.values()))
        changes += [Change(f"load {wanted[name]}", f"{transport.node} lacks it") for name in sorted(absent)]
        changes += [Change(f"load {reference}", f"{transport.node} has another image under its name") for reference in sorted(others)]
        lacking[transport.node] = {name: reference for name, reference in wanted.items() if name in absent or reference in others}
    return Decision(
        f"{several(len(images), 'image')} there", tuple(changes), partial(_load, transports, lacking, images[0].platform if images else "")
    )


def moved(there: Mapping[str, str], references: Collection[str]) -> set[str]:
    """Return those of our images whose name on a node may be another one's: two names are one image there, and are not here.

    there: the node's own list. What this machine no longer has is not judged.
    """
    by_id: dict[str, set[str]] = {}
    for reference in references:
        if ident := there.get(full_name(reference)):
            by_id.setdefault(ident, set()).add(reference)
    return {each for names in by_id.values() if len(names) > 1 and len(_ids_here(names)) > 1 for each in names}


def _ids_here(references: Collection[str]) -> set[str]:
    argv = ["docker", "image", "inspect", "--format", "{{.Id}}", *sorted(references)]
    return set(shell.run(argv, timeout=INSPECT_SECONDS, ok=None, env=CLI_ENVIRONMENT).stdout.split())


def _load(transports: Sequence[NodeTransport], lacking: Mapping[str, Mapping[str, str]], platform: str, step: StepReport) -> Outcome:
    """Send each node what it lacks, image by image side by side, and verify by the node's own list.

    lacking: by node, full names with their `repository:tag`. Raises TaskError when a node still lacks an image after all of it was sent.
    """
    missing = sorted({reference for names in lacking.values() for reference in names.values()})
    step.progress(f"reading {', '.join(missing)}")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        saved = Path(folder) / "saved.tar"
        shell.run(["docker", "save", "--output", str(saved), *missing], timeout=SAVE_SECONDS, env=CLI_ENVIRONMENT)
        with tarfile.open(saved) as source:
            images = read_saved(source, platform)
        pairs = [(transport, image) for transport in transports for image in images if image.name in lacking[transport.node]]
        turns: Turns = {(transport.node, layer.digest): threading.Lock() for transport, image in pairs for layer in image.layers}
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="load") as pool:
            sent = list(pool.map(lambda pair: _send(pair[0], pair[1], saved, turns, step), pairs))
    travelled, left_out = sum(each.bytes for each in sent), sum(each.left_out for each in sent)
    return changed(f"{several(len(missing), 'image')}: {decimal(travelled)} sent, {decimal(left_out)} were there")


def _send(transport: NodeTransport, image: SavedImage, saved: Path, turns: Turns, step: StepReport) -> Archive:
    """Send an image to one node: without the layers that it has, and, if that leaves it incomplete, whole."""
    with tarfile.open(saved) as source, ExitStack() as held:
        for digest in sorted({layer.digest for layer in image.layers}):  # in one order, or two images could wait for each other
            held.enter_context(turns[transport.node, digest])
        for whole in (False, True):
            archive = transport.archive(source, image, include_existing_layers=whole)
            step.progress(f"sending {decimal(archive.bytes)} of {image.name.removeprefix(LIBRARY)} to {transport.node}")
            try:
                transport.send(archive.pieces)
            except CommandError:
                if whole:
                    raise
            if image.name in transport.images():
                return archive
    raise TaskError(
        f"{transport.node} does not list {image.name} after it was sent",
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

"""What a change of files needs: pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.config.services import Service, Source
from scripts.core.paths import ROOT
from scripts.desired import dockerignore
from scripts.desired.build_context import entries
from scripts.desired.dockerignore import Dockerignore

SETTINGS = (ROOT / "invoke.yaml", ROOT / ".env")


@dataclass(frozen=True)
class Work:
    """What is to be done: services by name."""

    sync: frozenset[str] = frozenset()
    build: frozenset[str] = frozenset()
    settings: bool = False
    files: frozenset[Path] = field(default=frozenset(), compare=False)
    """The changed paths that need any of it."""

    def __bool__(self) -> bool:
        return bool(self.sync or self.build or self.settings)


def work_of(paths: Collection[Path], sources: Mapping[str, Source], chart: Path) -> Work:
    """Return what these changed paths need. sources: what the project's images are made of, by name."""
    found: dict[str, set[str]] = {"sync": set(), "build": set()}
    files = {path for path in paths if path in SETTINGS or path.is_relative_to(chart)}
    settings = bool(files)
    for name, source in sources.items():
        if source.context is None:
            continue
        ignore = dockerignore.find(source.folder(), source.file())
        needs = {path: need for path in paths if (need := _need(source, ignore, path))}
        if needs:
            found["build" if "build" in needs.values() else "sync"].add(name)
            files |= needs.keys()
    return Work(frozenset(found["sync"]), frozenset(found["build"]), settings, frozenset(files))


def _need(source: Source, ignore: Dockerignore, path: Path) -> str:
    """Return what one path is to a source: `build`, `sync`, or nothing."""
    if path in (source.file(), source.file().with_name(f"{source.file().name}.dockerignore"), source.folder() / ".dockerignore"):
        return "build"
    if not path.is_relative_to(source.folder()):
        return ""
    relative = path.relative_to(source.folder()).as_posix()
    if ignore.leaves_out(relative):
        return ""
    return "sync" if isinstance(source, Service) and is_synced(source, relative) else "build"


def is_synced(service: Service, relative: str) -> bool:
    """Return whether a path of the context goes into the running container as it is."""
    return _within(relative, service.dev.sync) and not _within(relative, service.dev.rebuild)


def _within(relative: str, folders: Collection[str]) -> bool:
    return any(f"{relative}/".startswith(f"{folder.rstrip('/')}/") for folder in folders)


def synced_files(service: Service) -> dict[str, Path]:
    """Return the files that go into the running container: by their path there. Raises InputError where they cannot be read."""
    return {
        f"{target.rstrip('/')}/{Path(entry.relative).relative_to(folder).as_posix()}": service.folder() / entry.relative
        for folder, target in service.dev.sync.items()
        for entry in entries(service.folder(), service.file(), folder.rstrip("/"))
        if entry.kind == "file" and is_synced(service, entry.relative)
    }


def watched_folders(sources: Mapping[str, Source], chart: Path) -> list[Path]:
    """Return every folder that a change can come from, each by itself: what no build sees (node_modules) is not watched."""
    found = {ROOT}
    for source in sources.values():
        if source.context is not None:
            found |= {source.file().parent, *_folders(source)}
    found |= {chart, *(path for path in chart.rglob("*") if path.is_dir())}
    return sorted(path for path in found if path.is_dir())


def _folders(source: Source) -> Iterator[Path]:
    ignore, context = dockerignore.find(source.folder(), source.file()), source.folder()
    waiting = [context]
    while waiting:
        folder = waiting.pop()
        yield folder
        for path in _inside(folder):
            relative = path.relative_to(context).as_posix()
            if path.is_dir() and not path.is_symlink() and (not ignore.leaves_out(relative) or ignore.may_bring_back_below(relative)):
                waiting.append(path)


def _inside(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing where it has gone since it was seen, or may not be read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []

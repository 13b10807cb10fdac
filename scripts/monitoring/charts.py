"""Somebody else's charts on this machine: fetched once, verified, unpacked under `.cache/`."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from scripts.config.settings import PinnedChart
from scripts.core import shell
from scripts.core.errors import InputError, MissingError
from scripts.core.paths import CACHE, expanded
from scripts.core.report import StepReport
from scripts.core.shell import CommandError

PULL_SECONDS = 120


def obtain(name: str, pin: PinnedChart, step: StepReport) -> Path:
    """Return the folder of the unpacked chart `name` in the version that the settings pin.

    `chart_repository` may be a chart repository's address, or a folder that holds the unpacked chart. Raises MissingError when the
    repository cannot be reached, InputError when the checksum or the version is another one.
    """
    local = expanded(pin.chart_repository)
    if local.is_dir():
        return _of_version(name, local, pin.chart_version)
    archive = fetch(name, pin.chart_version, pin.chart_repository, step)
    folder = archive.with_suffix("")
    if not folder.exists() or not _verified(archive, pin.chart_sha256):
        verify(archive, pin.chart_sha256)
        unpack(name, archive, folder)
    return _of_version(name, folder, pin.chart_version)


def verify(archive: Path, sha256: str) -> None:
    """Compare an archive with the checksum of the settings, or, where they have none, with that of its first download.

    Raises InputError when it differs. The archive is removed then, so that the next run fetches it again.
    """
    found, note = _digest(archive), _note(archive)
    wanted = sha256 or (note.read_text(encoding="utf-8").strip() if note.exists() else found)
    if found != wanted:
        archive.unlink()
        raise InputError(
            f"{archive.name} has the SHA-256 {found}, not {wanted}",
            "run it again to fetch it again; if it differs again, do not trust the repository or fix monitoring.chart_sha256",
            code="checksum-mismatch",
        )
    note.write_text(f"{found}\n", encoding="utf-8")


def unpack(name: str, archive: Path, folder: Path) -> None:
    """Unpack a chart's archive into a folder, as a whole or not at all. Raises InputError when it has what no chart has."""
    # Python before 3.11.4, Debian 12's among them, does not know the filter.
    filtered: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="unpack-") as temporary:
        with tarfile.open(archive) as content:
            content.extractall(temporary, members=list(_within(name, content)), **filtered)  # noqa: S202 - checked
        shutil.rmtree(folder, ignore_errors=True)
        (Path(temporary) / name).rename(folder)


def _within(name: str, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield what is a file or a folder within the chart `name`; raise InputError at anything else."""
    for member in archive:
        parts = PurePosixPath(member.name).parts
        if parts[:1] != (name,) or ".." in parts or not (member.isfile() or member.isdir()):
            raise InputError(
                f"the archive of {name} holds {member.name}, which does not belong in a chart",
                "do not trust its repository",
                code="monitoring-chart-invalid",
            )
        yield member


def fetch(name: str, version: str, repository: str, step: StepReport) -> Path:
    """Return a chart's archive in the cache, fetched where it is not there yet. Raises MissingError with helm's last words."""
    archive = CACHE / f"{name}-{version}.tgz"
    if not archive.exists():
        step.progress(f"fetching {archive.name}")
        if refusal := _refusal(name, version, repository):
            raise MissingError(
                f"the chart {name} {version} cannot be fetched from {repository}",
                f"put {archive.name} into {CACHE}, or --no-monitoring",
                refusal,
                code="monitoring-chart-unobtainable",
            )
    return archive


@lru_cache
def _refusal(name: str, version: str, repository: str) -> tuple[str, ...]:
    """Fetch a chart's archive; return helm's last words where it failed. Asked once a run: a silent network takes its time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    chart = [f"{repository}/{name}"] if repository.startswith("oci://") else [name, "--repo", repository]
    argv = ["helm", "pull", *chart, "--version", version, "--destination", str(CACHE)]
    try:
        shell.run(argv, timeout=PULL_SECONDS)
    except CommandError as error:
        return error.evidence or (error.cause,)
    return ()


def _of_version(name: str, folder: Path, version: str) -> Path:
    try:
        found = str(yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))["version"])
    except OSError:
        raise InputError(
            f"{folder} holds no chart", "fix monitoring.chart_repository in invoke.yaml", code="monitoring-chart-invalid"
        ) from None
    if found != version:
        raise InputError(
            f"{folder} holds {name} {found}, not {version}", "fix monitoring.chart_version in invoke.yaml", code="monitoring-chart-invalid"
        )
    return folder


def _verified(archive: Path, sha256: str) -> bool:
    """Whether the archive passed `verify` before, and the settings want no other one since."""
    note = _note(archive)
    return note.exists() and (not sha256 or note.read_text(encoding="utf-8").strip() == sha256)


def _note(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.sha256")


def _digest(archive: Path) -> str:
    with archive.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

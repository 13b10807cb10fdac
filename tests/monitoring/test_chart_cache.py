"""Somebody else's chart in the cache: verified before it is used, and only in the version that is pinned."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from scripts.config.settings import PinnedChart
from scripts.core.errors import InputError, MissingError
from scripts.monitoring import charts
from tests.doubles import Step

pytestmark = pytest.mark.monitoring

NAME = "a-chart"
VERSION = "1.2.3"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "CACHE", tmp_path)
    charts._refusal.cache_clear()


def archive_in(cache: Path, version: str = VERSION, name: str = f"{NAME}/Chart.yaml") -> Path:
    """A chart's archive as `helm pull` leaves it."""
    path = cache / f"{NAME}-{VERSION}.tgz"
    content = f"name: {NAME}\nversion: {version}\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return path


def pin(**changes: str) -> PinnedChart:
    known = {"chart_version": VERSION, "chart_repository": "https://charts.invalid", "values": "values.yaml"}
    return PinnedChart(**{**known, **changes})


def test_an_archive_in_the_cache_is_unpacked_and_used_without_the_network(tmp_path: Path) -> None:
    archive_in(tmp_path)
    chart = charts.obtain(NAME, pin(), Step())
    assert (chart / "Chart.yaml").exists()
    assert chart.parent == tmp_path


def test_a_python_without_the_filter_for_archives_unpacks_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 12's Python 3.11.2 is one: extractall refuses the argument."""
    extract = tarfile.TarFile.extractall

    def extractall(archive: tarfile.TarFile, path: str, members: Any) -> None:
        extract(archive, path, members)

    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)
    archive_in(tmp_path)
    assert (charts.obtain(NAME, pin(), Step()) / "Chart.yaml").exists()


def test_a_second_run_uses_what_is_unpacked(tmp_path: Path) -> None:
    archive_in(tmp_path)
    chart = charts.obtain(NAME, pin(), Step())
    before = (chart / "Chart.yaml").stat().st_ino
    assert charts.obtain(NAME, pin(), Step()) == chart
    assert (chart / "Chart.yaml").stat().st_ino == before


def test_an_archive_with_another_checksum_than_the_pinned_one_is_refused_and_removed(tmp_path: Path) -> None:
    archive = archive_in(tmp_path)
    with pytest.raises(InputError, match=f"not {'0' * 64}"):
        charts.obtain(NAME, pin(chart_sha256="0" * 64), Step())
    assert not archive.exists()
    assert not (tmp_path / f"{NAME}-{VERSION}").exists()


def test_a_checksum_that_is_pinned_later_is_held_against_what_was_used_before(tmp_path: Path) -> None:
    archive_in(tmp_path)
    charts.obtain(NAME, pin(), Step())
    with pytest.raises(InputError):
        charts.obtain(NAME, pin(chart_sha256="0" * 64), Step())


def test_an_archive_that_differs_from_the_first_download_is_refused(tmp_path: Path) -> None:
    archive_in(tmp_path)
    chart = charts.obtain(NAME, pin(), Step())
    for leftover in chart.iterdir():
        leftover.unlink()
    chart.rmdir()
    archive_in(tmp_path, name="values.yaml")
    with pytest.raises(InputError, match="SHA-256"):
        charts.obtain(NAME, pin(), Step())


def test_a_chart_of_another_version_is_refused(tmp_path: Path) -> None:
    archive_in(tmp_path, version="9.9.9")
    with pytest.raises(InputError, match=r"9\.9\.9, not 1\.2\.3"):
        charts.obtain(NAME, pin(), Step())


def test_a_folder_can_stand_for_the_repository(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text(f"version: {VERSION}\n")
    chart = charts.obtain(NAME, pin(chart_repository=str(tmp_path / "chart")), Step())
    assert chart == tmp_path / "chart"


def test_a_repository_that_cannot_be_reached_is_named_with_the_way_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm, asked = tmp_path / "helm", tmp_path / "asked"
    helm.write_text(f"#!/bin/sh\necho once >> {asked}\necho 'Error: no such host' >&2\nexit 1\n")
    helm.chmod(0o755)
    monkeypatch.setattr("scripts.core.shell.which", lambda _: str(helm))
    for _ in range(2):  # two steps of a run need the chart
        with pytest.raises(MissingError) as caught:
            charts.obtain(NAME, pin(), Step())
    assert "https://charts.invalid" in caught.value.cause
    assert "--no-monitoring" in caught.value.action
    assert "no such host" in caught.value.evidence[-1]
    assert asked.read_text() == "once\n"


@pytest.mark.parametrize("name", ["../outside", f"{NAME}/../../../outside", "/outside", "another-chart/outside"])
def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path, name: str) -> None:
    archive_in(tmp_path, name=name)
    with pytest.raises(InputError, match="does not belong in a chart"):
        charts.obtain(NAME, pin(), Step())
    assert not (tmp_path.parent / "outside").exists()

"""`invoke sbom` writes what the pinned syft lists, and nothing where it lists nothing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.core import paths
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Report
from scripts.dev import sbom
from tests.doubles import Step

pytestmark = pytest.mark.runner

LISTED = json.dumps({"bomFormat": "CycloneDX", "components": [{"name": "a"}, {"name": "b"}]})


@pytest.fixture
def syft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A syft that says what it was asked, and lists two components."""
    program = tmp_path / "bin" / "syft"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nif [ \"$1\" = --version ]; then echo 'syft {sbom._pinned()}'; exit; fi\n"
        f'echo "$DOCKER_HOST $@" >> {tmp_path}/asked\ncat {tmp_path}/says\n'
    )
    program.chmod(0o755)
    (tmp_path / "says").write_text(LISTED)
    monkeypatch.setattr(paths, "TOOLS", program.parent)
    monkeypatch.setattr(sbom, "find_endpoint", lambda: SimpleNamespace(host="unix:///run/it.sock"))
    return tmp_path


def listed(syft: Path, source: str = "docker:app:h1") -> sbom.Written:
    written: sbom.Written = {}
    sbom._list(source, "app:h1", syft / "app.cdx.json", written, Step())
    return written


def test_an_image_is_listed_by_the_daemon_that_has_it(syft: Path) -> None:
    assert listed(syft) == {"app": ("app:h1", "2", str(syft / "app.cdx.json"))}
    assert (syft / "app.cdx.json").read_text() == LISTED
    assert (syft / "asked").read_text() == "unix:///run/it.sock scan docker:app:h1 --quiet --output cyclonedx-json\n"


def test_the_checkout_is_listed_without_what_it_makes(syft: Path) -> None:
    listed(syft, "dir:/checkout")
    asked = (syft / "asked").read_text()
    assert "--source-name app:h1" in asked
    assert "--exclude ./.state" in asked


@pytest.mark.parametrize("says", ["", "no json", "{}"])
def test_nothing_is_written_where_nothing_is_listed(says: str, syft: Path) -> None:
    (syft / "says").write_text(says)
    with pytest.raises(TaskError) as failed:
        listed(syft)
    assert failed.value.code == "sbom-failed"
    assert not (syft / "app.cdx.json").exists()


def test_the_pinned_syft_is_brought_once(syft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def brought(_lock: Path, folder: Path, _name: str, _step: object) -> None:
        (folder / sbom.IN_WHEEL).parent.mkdir(parents=True)
        (folder / sbom.IN_WHEEL).write_text((syft / "bin" / "syft").read_text().replace("old", sbom._pinned()))

    monkeypatch.setattr(sbom.wheels, "install", brought)
    assert sbom.bring(Step()).kind == "unchanged"
    program = syft / "bin" / "syft"
    program.write_text(program.read_text().replace(sbom._pinned(), "old"))
    assert sbom.bring(Step()).kind == "changed"
    assert sbom.bring(Step()).kind == "unchanged"


def project(**made: Any) -> Any:
    return SimpleNamespace(images=[SimpleNamespace(repository="app", reference="app:h1")], settings=SimpleNamespace(project="app"), **made)


def test_every_image_and_the_checkout_have_a_file(syft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "missing", lambda _: [])
    out = io.StringIO()
    sbom.work(project(), Report(as_json=True, stdout=out, stderr=io.StringIO()), syft / "to")
    assert sorted(path.name for path in (syft / "to").iterdir()) == ["app-checkout.cdx.json", "app.cdx.json"]
    (table,) = (json.loads(line) for line in out.getvalue().splitlines() if '"components"' in line)
    assert [row["of"] for row in table["rows"]] == ["app:h1", "app-checkout"]
    assert table["rows"][0].keys() == {"of", "components", "file"}


def test_what_cannot_be_listed_or_written_is_refused_first(syft: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "missing", list)
    with pytest.raises(TaskError, match="app:h1 is not built"):
        sbom.work(project(), Report(), syft / "to")
    assert not (syft / "to").exists()
    monkeypatch.setattr(sbom, "missing", lambda _: [])
    with pytest.raises(InputError, match="cannot be made"):
        sbom.work(project(), Report(), syft / "says")
    assert not (syft / "asked").exists()

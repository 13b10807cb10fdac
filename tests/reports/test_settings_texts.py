"""`invoke.yaml` as people have it: one error that names the place, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from invoke import Config

from scripts import program
from scripts.config import settings, yaml_text
from scripts.core.errors import InputError
from scripts.core.paths import ROOT

pytestmark = pytest.mark.unit

TEXT = (ROOT / "invoke.yaml").read_text()
REPORTED = yaml.safe_load((ROOT / "tests/reports/settings_texts.yaml").read_text())


def refusal(text: str) -> str:
    with pytest.raises(InputError) as error:
        settings.parse_settings(text)
    return str(error.value)


@pytest.mark.parametrize("row", REPORTED["changed"], ids=lambda row: row["new"])
def test_a_change_is_refused_with_its_place(row: dict[str, str]) -> None:
    assert row["old"] in TEXT
    assert row["says"] in refusal(TEXT.replace(row["old"], row["new"], 1))


@pytest.mark.parametrize("row", REPORTED["added"], ids=lambda row: row["text"])
def test_what_is_added_is_refused(row: dict[str, str]) -> None:
    assert row["says"] in refusal(f"{TEXT}\n{row['text']}\n")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "text", ["x: " + "[" * 5000, "\n".join(f"{'  ' * n}a:" for n in range(100)), "- " * 3000, "x: " + "{a: " * 10_000 + "}" * 10_000]
)
def test_depth_without_end_is_refused(text: str) -> None:
    assert "invoke.yaml" in refusal(text)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="this PyYAML is without libyaml")
def test_what_is_well_is_read_by_libyaml_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml_text, "_Loader")
    assert yaml_text.load(TEXT, "invoke.yaml") == yaml.safe_load(TEXT)


def test_aliases_of_aliases_are_refused_and_not_written_out() -> None:
    levels = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]" for below, name in zip("abcdefg", "bcdefgh", strict=True)]
    assert "repeats too much by aliases" in refusal("\n".join(levels))


def test_an_alias_that_spares_writing_is_taken() -> None:
    shared = TEXT.replace("    local_port: 3000", "    <<: &shared {replicas: 3}\n    local_port: 3000")
    assert settings.parse_settings(shared).services["frontend"].replicas == 3


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfee\x00n\x00", "invoke.yaml is not UTF-8 text (byte 0)"),
        (b"engine: \xe9", "invoke.yaml is not UTF-8 text (byte 8)"),
        (b"\0", "invoke.yaml is not YAML"),
        (None, "invoke.yaml cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_text_is_told(content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    if content is not None:
        (tmp_path / "invoke.yaml").write_bytes(content)
    with pytest.raises(InputError) as error:
        settings.parse_settings(settings.read_text())
    assert says in str(error.value)


def test_a_byte_order_mark_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    (tmp_path / "invoke.yaml").write_text("\ufeff" + TEXT, encoding="utf-8")
    assert yaml_text.load(settings.read_text(), settings.NAME)["project"] == "todo"


def test_invoke_does_not_take_the_settings_for_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would read them a second time in each run, and refuse `a_b` beside `a: {b: …}`, which are one variable to it."""
    monkeypatch.setenv("INVOKE_MINIKUBE_ADDONS", "ingress")
    (tmp_path / "invoke.yaml").write_text(f"{TEXT}\na_b: 1\na: {{b: 2}}\n", encoding="utf-8")
    before = Config.load_project
    try:
        program.leave_settings_to_us()
        config = Config(project_location=tmp_path)
        config.load_project()
        config.load_shell_env()
    finally:
        setattr(Config, "load_project", before)  # noqa: B010 - mypy cannot take it otherwise
    assert "minikube" not in config

"""Contexts as people have them: each that cannot be used says why, in kubectl's words, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scripts.config.settings import KubeContext, load_settings
from scripts.core.paths import ROOT
from scripts.engines.kube_context import KubeContextEngine
from tests.programs import Reply, on_path

pytestmark = pytest.mark.unit

REPORTED = yaml.safe_load((ROOT / "tests/reports/clusters.yaml").read_text())
CONTEXTS = ("kubectl", "config", "get-contexts", "--output", "name")
VERSION = ("kubectl", "--context", "theirs", "--namespace", "todo-chatbot", "version", "--output", "json", "--request-timeout=5s")


def engine() -> KubeContextEngine:
    return KubeContextEngine(load_settings().model_copy(update={"kube_context": KubeContext(context="theirs")}))


@pytest.mark.parametrize("row", REPORTED, ids=lambda row: row["said"][:60])
def test_a_context_that_cannot_be_used_says_why_and_what_to_do(
    row: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = on_path(tmp_path, monkeypatch)
    programs.tell(CONTEXTS, Reply("theirs\n"))
    programs.tell(VERSION, Reply(stderr=f"{row['said']}\n", code=1))
    [told] = map(str, engine().preflight())
    assert row["said"] in told
    assert row["do"] in told.rpartition(row["said"])[2]


def test_a_context_in_another_spelling_is_the_one_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch).tell(CONTEXTS, Reply("Theirs\nanother\n"))
    [told] = map(str, engine().preflight())
    assert "the kubeconfig has no context theirs (did you mean `Theirs`?): fix kube_context.context in invoke.yaml" in told

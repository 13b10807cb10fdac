"""Which engine `auto` takes, and why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scripts.config.settings import ENGINES, Settings, load_settings
from scripts.core.errors import MissingError
from scripts.engines import choice

pytestmark = pytest.mark.unit

UNUSABLE = {"kube_context": "no context is named", "minikube": "its driver does not run as root", "docker": "the daemon does not answer"}


def settings(context: str = "") -> Settings:
    found = load_settings()
    return found.model_copy(update={"engine": "auto", "kube_context": found.kube_context.model_copy(update={"context": context})})


def choose(monkeypatch: pytest.MonkeyPatch, given: Settings, *usable: str, deployed: str = "") -> tuple[str, str]:
    def engine(name: str) -> Any:
        reason = "" if name in usable else UNUSABLE[name]
        return SimpleNamespace(name=name, deployed=lambda: name == deployed, unusable=lambda: reason)

    monkeypatch.setattr(choice, "makers", lambda _: {name: lambda name=name: engine(name) for name in UNUSABLE})
    chosen, why = choice.choose(given)
    return chosen.name, why


def test_every_engine_that_the_settings_know_can_be_made() -> None:
    assert {*ENGINES} - {"auto"} == {make().name for make in choice.makers(settings()).values()} == {*choice.makers(settings())}


def test_auto_stays_where_the_app_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, settings(), "minikube", "docker", deployed="docker") == ("docker", "the app is installed there")


def test_auto_says_why_it_took_no_better_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, settings("mine"), "docker") == (
        "docker",
        "kube_context: no context is named; minikube: its driver does not run as root",
    )
    assert choose(monkeypatch, settings("mine"), "kube_context", "docker") == ("kube_context", "the first usable one")


def test_a_context_that_nobody_named_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(monkeypatch, settings(), "docker") == ("docker", "minikube: its driver does not run as root")
    assert choose(monkeypatch, settings(), "minikube") == ("minikube", "the first usable one")


def test_where_none_can_work_each_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError) as error:
        choose(monkeypatch, settings())
    assert list(error.value.evidence) == [f"{name}: {reason}" for name, reason in UNUSABLE.items()]

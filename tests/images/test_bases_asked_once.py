"""How often the engine is asked for what images are built on: a run with nothing to do consists of such questions."""

from __future__ import annotations

from collections import Counter

import pytest

from scripts.config.settings import load_settings
from scripts.images import bases, users

pytestmark = pytest.mark.unit


def test_what_many_images_are_built_on_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counter[str]()

    def image_id(reference: str) -> str:
        asked[reference] += 1
        return f"id of {reference}"

    monkeypatch.setattr(bases, "image_id", image_id)
    settings = load_settings()
    known = bases.Known(settings)
    sources = {f"{name}-{number}": service for number in range(3) for name, service in settings.services.items()}
    assert bases.missing(settings, sources, known) == {}
    assert all(bases.find(settings, source, known) for source in sources.values())
    assert asked == dict.fromkeys(asked, 1)
    assert set(asked) == {settings.base_images[service.base].image for service in settings.services.values() if service.base}


def test_no_image_is_listed_where_every_user_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "docker_client", lambda: pytest.fail("the engine was asked"))
    assert users.supposed_users([]) == {}

"""The chart's values as the tool sets them: each image and Secret at the place where the chart looks for it."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired.helm_release import app_release
from scripts.desired.images import DATABASE, EXPORTER, BaseImage, Image
from scripts.desired.secrets import Secret

pytestmark = pytest.mark.unit

BASE = BaseImage("base", "base", ("sha256:1",))


def image(name: str) -> Image:
    return Image(name, f"todo-{name}", "h1", ROOT, ROOT / "Dockerfile", BASE)


def values(*names: str, monitoring: bool = False, requests_in_flight: int = 0) -> dict[str, Any]:
    settings = load_settings()
    settings = settings.model_copy(update={"chart": settings.chart.model_copy(update={"values": {}})})  # what the tool adds, alone
    adapter = settings.monitoring.adapter.model_copy(update={"requests_in_flight": requests_in_flight})
    settings = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"adapter": adapter})})
    secrets = [Secret(DATABASE, "database-1", {"POSTGRES_PASSWORD": "x"})]
    return dict(app_release(settings, [image(name) for name in names], secrets, monitoring=monitoring).values)


def test_a_service_gets_its_image_and_an_empty_secret_where_it_has_no_keys() -> None:
    name = next(iter(load_settings().services))
    services = values(name)["services"]
    assert services[name] == {"image": {"repository": f"todo-{name}", "tag": "h1"}, "secret": {"name": "", "keys": []}}


def test_the_database_is_on_with_its_image_and_secret_and_off_without() -> None:
    assert values()["postgres"] == {"enabled": False}
    assert values(DATABASE)["postgres"] == {
        "enabled": True,
        "image": {"repository": "todo-postgres", "tag": "h1"},
        "secret": {"name": "database-1", "keys": ["POSTGRES_PASSWORD"]},
    }


def test_the_exporters_image_stands_under_the_database_and_makes_no_service() -> None:
    made = values(DATABASE, EXPORTER, monitoring=True)
    assert made["postgres"]["exporter"] == {"image": {"repository": "todo-postgres-exporter", "tag": "h1"}}
    assert set(made) == {"services", "postgres", "monitoring"}
    assert made["monitoring"] == {"enabled": True, "namespace": "monitoring"}


@pytest.mark.parametrize(("monitoring", "wanted", "asked"), [(True, 10, 10), (True, 0, None), (False, 10, None)])
def test_autoscalers_ask_for_requests_in_flight_where_something_answers(monitoring: bool, wanted: int, asked: int | None) -> None:
    made = values(DATABASE, monitoring=monitoring, requests_in_flight=wanted)
    assert made.get("serviceDefaults") == ({"autoscaling": {"requestsInFlight": asked}} if asked else None)

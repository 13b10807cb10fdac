"""The chart's values as the tool sets them: each image and Secret at the place where the chart looks for it."""

from __future__ import annotations

import pytest

from scripts.core import chart
from scripts.core.images import DATABASE, EXPORTER, BaseImage, Image
from scripts.core.secrets import Secret
from scripts.core.settings import ROOT, load_settings

pytestmark = pytest.mark.unit

BASE = BaseImage("base", "base", ("sha256:1",))


def image(name: str) -> Image:
    return Image(name, f"todo-{name}", "h1", ROOT, ROOT / "Dockerfile", BASE)


def values(*names: str, monitoring: bool = False) -> dict[str, object]:
    secrets = [Secret(DATABASE, "database-1", {"POSTGRES_PASSWORD": "x"})]
    return dict(chart.planned(load_settings(), [image(name) for name in names], secrets, monitoring=monitoring).values)


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

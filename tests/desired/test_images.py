"""Which images there are."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired.images import DATABASE, EXPORTER, sources

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("database_url", "monitored", "own"),
    [("", False, {DATABASE}), ("", True, {DATABASE, EXPORTER}), ("postgresql://u:p@host/db", True, set())],
)
def test_our_own_database_has_an_image_and_where_prometheus_runs_its_exporter_too(
    database_url: str, monitored: bool, own: set[str]
) -> None:
    env = EnvFile(ROOT / ".env", {"DATABASE_URL": SecretStr(database_url)})
    settings = load_settings()
    assert set(sources(settings, env, monitored=monitored)) == {*settings.services, *own}

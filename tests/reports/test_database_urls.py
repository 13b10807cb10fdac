"""One meaning of a database URL for the tool and for the backend, and it is the one that SQLAlchemy has."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings

from scripts.config import database_url
from scripts.config.database_url import DatabaseUrlError, parse
from scripts.core.paths import ROOT
from tests.reports.urls import URLS, WELL_FORMED

pytestmark = pytest.mark.unit

BACKENDS = ROOT / "app/backend/src/todo_backend/database_url.py"
REPORTED = yaml.safe_load((ROOT / "tests/reports/database_urls.yaml").read_text())
FUZZ = settings(deadline=None, max_examples=300, database=None)
USUAL = {"host": "h", "port": None, "database": "d", "user": "u", "password": "p", "ssl_mode": "prefer", "pooled": False}


@pytest.mark.parametrize("row", REPORTED["understood"], ids=lambda row: row["url"])
def test_a_url_is_understood(row: dict[str, Any]) -> None:
    url = parse(row["url"])
    assert {part: getattr(url, part) for part in USUAL} == {**USUAL, **{key: value for key, value in row.items() if key != "url"}}


@pytest.mark.parametrize("row", REPORTED["refused"], ids=lambda row: row["url"].replace("\n", "\\n"))
def test_a_url_is_refused_with_the_part_and_without_its_value(row: dict[str, Any]) -> None:
    with pytest.raises(DatabaseUrlError) as error:
        parse(row["url"])
    assert row["says"] in str(error.value)
    assert "marked" not in str(error.value)


def test_the_backend_has_the_same_file() -> None:
    assert BACKENDS.read_bytes() == (ROOT / "scripts/config/database_url.py").read_bytes()


def test_the_password_is_not_in_the_representation() -> None:
    assert "marked" not in repr(parse("postgresql://u:marked@h/d"))


@FUZZ
@given(URLS)
@example("postgresql://u:p%ss@h/d")
def test_whatever_is_understood_sqlalchemy_understands_alike(raw: str) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    try:
        ours = parse(raw)
    except DatabaseUrlError:
        return
    theirs = sqlalchemy.make_url(raw)
    for part, theirs_part in (
        ("host", theirs.host),
        ("port", theirs.port),
        ("database", theirs.database),
        ("user", theirs.username),
        ("password", theirs.password),
        ("parameters", dict(theirs.query)),
    ):
        assert getattr(ours, part) == theirs_part, part


@FUZZ
@given(WELL_FORMED)
def test_a_url_whose_parts_are_encoded_is_understood(raw: str) -> None:
    if "%00" not in raw:
        assert parse(raw)


def test_every_refusal_that_sqlalchemy_makes_is_ours_too() -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    for row in [*REPORTED["understood"], *REPORTED["refused"]]:
        try:
            sqlalchemy.make_url(row["url"])
        except (ValueError, sqlalchemy.exc.ArgumentError):
            assert row in REPORTED["refused"]


def test_the_names_of_the_modes_are_libpqs() -> None:
    assert database_url.SSL_MODES == ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

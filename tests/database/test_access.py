"""How a program of Postgres gets to the app's database: no password in an argv."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from scripts.config import database_url
from scripts.config.settings import load_settings
from scripts.core.errors import InputError
from scripts.core.shell import CommandLine
from scripts.database import access
from tests.projects import project_on

pytestmark = pytest.mark.unit

NEON = "postgresql://me:s3cret-word@ep-x-pooler.eu.neon.tech/app?sslmode=require&channel_binding=require"


def engine() -> SimpleNamespace:
    operations = SimpleNamespace(inside=lambda service, argv, terminal: CommandLine([service, *argv, str(terminal)]))
    return SimpleNamespace(name="told", deployed=lambda: True, operations=operations)


def test_the_bundled_database_is_used_as_its_owner_inside_its_container() -> None:
    line = access.in_bundled(project_on(engine(), load_settings(), POSTGRES_PASSWORD="s3cret-word"), "psql", "--command", "select 1")
    assert line.argv[:3] == ["postgres", "sh", "-c"]
    assert line.argv[4:] == ["psql", "--command", "select 1", "False"]
    assert "s3cret-word" not in " ".join(line.argv)


def test_a_database_of_somebody_else_is_not_backed_up() -> None:
    with pytest.raises(InputError, match="does not use the bundled Postgres"):
        access.in_bundled(project_on(engine(), load_settings(), DATABASE_URL=NEON), "pg_dump")


def test_the_one_that_env_names_is_reached_by_variables() -> None:
    url = access.named(project_on(engine(), load_settings(), DATABASE_URL=NEON), "")
    assert url
    assert access.environment(url) == {
        "PGHOST": "ep-x-pooler.eu.neon.tech",
        "PGPORT": "",
        "PGUSER": "me",
        "PGPASSWORD": "s3cret-word",
        "PGDATABASE": "app",
        "PGSSLMODE": "require",
        "PGCHANNELBINDING": "require",
    }
    plain = access.environment(database_url.parse("postgresql://me@10.0.0.5:5433/app"))
    assert (plain["PGPORT"], plain["PGSSLMODE"], plain["PGPASSWORD"]) == ("5433", "prefer", None)


def test_a_key_that_names_none_is_told_with_those_that_do() -> None:
    project = project_on(engine(), load_settings(), DATABASE_URL=NEON)
    with pytest.raises(InputError, match=r"DATABASE_UR in \.env names no database"):
        access.named(project, "DATABASE_UR")
    assert access.named(project, "DATABASE_URL")
    assert access.named(project_on(engine(), load_settings()), "") is None

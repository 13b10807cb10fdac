import ssl
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from todo_backend.database import CONNECT_TIMEOUT, parse_database_url
from todo_backend.database_url import DatabaseUrlError, parse

# The rows that people reported; the tool that makes the Secrets is tested by the same.
REPORTED = yaml.safe_load((Path(__file__).parents[3] / "tests/reports/database_urls.yaml").read_text())
NEON = "postgresql://u:p%40ss@ep-x-123{}.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"


def test_the_url_that_neon_prints_is_verified_since_asyncpg_cannot_bind_the_channel():
    target = parse_database_url(NEON.format(""))
    assert (target.url.drivername, target.url.password, dict(target.url.query)) == ("postgresql+asyncpg", "p@ss", {})
    assert isinstance(target.tls, ssl.SSLContext)
    assert (target.tls.verify_mode, target.tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert target.pooled is False


def test_the_pooled_host_of_neon_is_recognised():
    assert parse_database_url(NEON.format("-pooler")).pooled is True


@pytest.mark.parametrize("row", REPORTED["understood"], ids=lambda row: row["url"])
def test_a_url_that_is_understood_makes_an_engine_for_its_parts(row):
    usual = {"host": "h", "port": None, "database": "d", "user": "u", "password": "p", "pooled": False}
    target = parse_database_url(row["url"])
    url = target.engine().url
    found = {
        "host": url.host,
        "port": url.port,
        "database": url.database,
        "user": url.username,
        "password": url.password,
        "pooled": target.pooled,
    }
    assert found == {part: row.get(part, value) for part, value in usual.items()}
    assert not url.query


@pytest.mark.parametrize("row", REPORTED["refused"], ids=lambda row: row["url"].replace("\n", "\\n"))
def test_a_url_that_cannot_be_used_is_refused_without_being_repeated(row):
    with pytest.raises(DatabaseUrlError) as error:
        parse_database_url(row["url"])
    assert row["says"] in str(error.value)
    assert "marked" not in str(error.value)


@pytest.mark.parametrize(
    ("asked", "seconds"), [("", CONNECT_TIMEOUT), ("?connect_timeout=3", 3), ("?connect_timeout=0", CONNECT_TIMEOUT)]
)
def test_the_patience_of_a_connection_is_the_urls_or_ours(asked, seconds):
    assert parse_database_url(f"postgresql://u:p@h/d{asked}").connect_timeout == seconds


@pytest.mark.parametrize(
    ("mode", "verify", "name"),
    [
        ("require", ssl.CERT_NONE, False),
        ("verify-ca", ssl.CERT_REQUIRED, False),
        ("verify-full", ssl.CERT_REQUIRED, True),
    ],
)
def test_sslmode_means_what_it_means_to_libpq(mode, verify, name):
    context = parse_database_url(f"postgresql://u:p@h/d?sslmode={mode}").tls
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (verify, name)


@pytest.mark.parametrize(("mode", "tls"), [("disable", False), ("allow", "prefer"), ("prefer", "prefer")])
def test_sslmodes_without_a_promise_need_no_context(mode, tls):
    assert parse_database_url(f"postgresql://u:p@h/d?sslmode={mode}").tls == tls


def test_a_root_certificate_that_is_not_there_is_refused():
    with pytest.raises(DatabaseUrlError, match="sslrootcert that cannot be read"):
        parse_database_url("postgresql://u:secret@h/d?sslmode=verify-full&sslrootcert=/none")


PARTS = st.lists(st.sampled_from([*"up:@/?#[]&=%+,.-;x", "%40", "%00", "ssl=", "5432", "::1"]), max_size=2).map("".join)


@settings(deadline=None, database=None)
@given(st.builds("postgresql://u{}:p{}@h{}/d{}?sslmode=require{}".format, PARTS, PARTS, PARTS, PARTS, PARTS))
def test_whatever_is_understood_makes_an_engine(url):
    try:
        parse(url)
    except DatabaseUrlError:
        return
    target = parse_database_url(url)
    _, options = target.engine().dialect.create_connect_args(target.url)
    assert set(options) <= {"host", "port", "user", "password", "database"}

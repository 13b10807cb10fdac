import ssl

import pytest

from todo_backend.database import DatabaseUrlError, parse_database_url

NEON = "postgresql://u:p%40ss@ep-x-123{}.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"


def test_the_url_that_neon_prints_is_verified_since_asyncpg_cannot_bind_the_channel():
    target = parse_database_url(NEON.format(""))
    assert (target.url.drivername, target.url.password, dict(target.url.query)) == ("postgresql+asyncpg", "p@ss", {})
    assert isinstance(target.tls, ssl.SSLContext)
    assert (target.tls.verify_mode, target.tls.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert target.pooled is False


def test_the_pooled_host_of_neon_is_recognised():
    assert parse_database_url(NEON.format("-pooler")).pooled is True


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_every_usual_scheme_is_taken(scheme):
    assert parse_database_url(f"{scheme}://u:p@h/d").url.host == "h"


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


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is not a URL"),
        ("secret", "is not a URL"),
        ("mysql://u:secret@h/d", "must begin with postgresql://"),
        ("postgresql:///d", "names no host"),
        ("postgresql://u:secret@h/d?sslmode=yes", "unknown sslmode"),
        ("postgresql://u:secret@h/d?foo=1&bar=2", "not supported: bar, foo"),
        ("postgresql://u:secret@h/d?sslmode=verify-full&sslrootcert=/none", "sslrootcert that cannot be read"),
        ("postgresql://u:secret@h/d?sslmode=disable&channel_binding=require", "exclude each other"),
        ("postgresql://u:secret@h:port/d", "is not a URL"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_repeated(url, problem):
    with pytest.raises(DatabaseUrlError) as error:
        parse_database_url(url)
    assert problem in str(error.value)
    assert "secret" not in str(error.value)

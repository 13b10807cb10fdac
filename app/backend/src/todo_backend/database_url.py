"""What a database URL means: one grammar for the tool and for the app here, which has this file word for word.

It takes what libpq, SQLAlchemy and WHATWG parsers read alike, and refuses what they read differently, above all a
password that is not percent-encoded. No message holds any part of the URL but the name of a parameter.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

SCHEMES = ("postgresql", "postgres")
DRIVERS = ("asyncpg", "psycopg", "psycopg2")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SHAPE = "postgresql://user:password@host/database"
PORT = 5432

_POOLER_PORTS = (6432, 6543)  # PgBouncer's own, and Supabase's for transactions
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_BOOLEANS = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
_CHOICES = {
    "sslmode": SSL_MODES,
    "ssl": (*_BOOLEANS, *SSL_MODES),
    "channel_binding": ("disable", "prefer", "require"),
    "pgbouncer": ("true", "false"),
    "schema": ("public",),
}
_PATTERNS = {
    "sslrootcert": (re.compile(r"system|/.+"), "must be `system` or an absolute path"),
    "connect_timeout": (re.compile(r"[0-9]{1,4}"), "must be a whole number of seconds"),
    "application_name": (re.compile(r".+"), "is empty"),
    "options": (re.compile(r".+"), "is empty"),
}
_PARTS = ("user", "password", "host", "hostaddr", "port", "dbname", "database")
_OTHER_WORDS = {"no-verify": "require", "required": "require", "verify_full": "verify-full", "verify_ca": "verify-ca"}


class DatabaseUrlError(ValueError):
    """The URL cannot be used; the message says why and never holds the URL, which has a password in it."""


@dataclass(frozen=True)
class DatabaseUrl:
    """The parts of a database URL, decoded."""

    host: str
    database: str
    port: int | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    """As they were given; all of them are known, and have a value that is."""

    @property
    def ssl_mode(self) -> str:
        """How the connection is protected, in libpq's words; a bound channel counts as a verified name."""
        if self.parameters.get("channel_binding") == "require":
            return "verify-full"
        return _ssl_mode(self.parameters) or "prefer"

    @property
    def pooled(self) -> bool:
        """Whether a pooler answers that may give every transaction another server connection."""
        told = self.parameters.get("pgbouncer")
        if told:
            return told == "true"
        pooler = self.host.partition(".")[0].endswith("-pooler") or self.host.endswith(".pooler.supabase.com")
        return pooler or self.port in _POOLER_PORTS


def parse(raw: str) -> DatabaseUrl:
    """Return what a database URL means.

    Raises DatabaseUrlError, which names the part that is wrong and what to write instead.
    """
    _refuse_invisible(raw)
    scheme, separator, rest = raw.partition("://")
    if not separator:
        raise DatabaseUrlError(f"is not a URL like {SHAPE}")
    name, plus, driver = scheme.lower().partition("+")
    if name not in SCHEMES or (plus and driver not in DRIVERS):
        raise DatabaseUrlError(f"must begin with postgresql://, as in {SHAPE}")
    before, at, after = rest.rpartition("@")
    if at:
        _refuse_ambiguous(before)
    if "#" in after:
        raise DatabaseUrlError("contains a `#`, where some programs end the URL: write %23")
    authority, _, query = after.partition("?")
    if "://" in authority:
        raise DatabaseUrlError("contains a second `://`: write the host without https://")
    authority, _, database = authority.partition("/")
    host, port = _host_and_port(authority)
    if not database:
        raise DatabaseUrlError("has no database name: add it after the host, as in host/database")
    _refuse_rest(database)
    user, colon, password = before.partition(":")
    if at and not user:
        raise DatabaseUrlError("has no user before the `@`")
    return DatabaseUrl(
        host=host,
        port=port,
        database=_decoded(database, "database name"),
        user=_decoded(user, "user") if at else None,
        password=_decoded(password, "password") if colon else None,
        parameters=_parameters(query),
    )


def _refuse_invisible(raw: str) -> None:
    for position, character in enumerate(raw, 1):
        if character in "\r\n":
            raise DatabaseUrlError(f"contains a line break (character {position}): write it on one line")
        if character == " " or not character.isprintable():
            raise DatabaseUrlError(f"contains a space or an invisible character (character {position}): a space is %20")


def _refuse_rest(database: str) -> None:
    """What was copied with a URL from a shell line or a text ends up in the name of the database."""
    found = next((character for character in "/;,'\"`<>\\" if character in database), "")
    if found:
        encoded = urllib.parse.quote(found, safe="")
        raise DatabaseUrlError(f"has a `{found}` in the database name: end the URL before it, or write {encoded}")


def _refuse_ambiguous(credentials: str) -> None:
    """A password with one of these ends elsewhere for each program that reads it."""
    found = [character for character in "@/?#[]" if character in credentials]
    if found:
        shown = ", ".join(f"`{character}` as {urllib.parse.quote(character, safe='')}" for character in found)
        raise DatabaseUrlError(f"has a user, password or parameter that must be percent-encoded: write {shown}")


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "," in authority:
        raise DatabaseUrlError("names several hosts, which is not supported: name one")
    in_brackets = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](:.*)?", authority)
    if in_brackets:
        host, colon, port = in_brackets[1], in_brackets[2] or "", (in_brackets[2] or "")[1:]
    else:
        host, colon, port = authority.partition(":")
    if not host:
        raise DatabaseUrlError(f"has no host: write it as in {SHAPE}")
    if not (_is_address(host, ipaddress.IPv6Address) if in_brackets else _is_name(host)):
        raise DatabaseUrlError("has an invalid host: write a host name (letters, digits, `-` and `.`) or an IP address")
    if not colon:
        return host, None
    if not port:
        raise DatabaseUrlError("has a `:` after the host but no port: leave it out, or write :5432")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise DatabaseUrlError("has a port that is not a number from 1 to 65535 (or one `:` too many)")
    return host, int(port)


def _is_name(host: str) -> bool:
    if re.fullmatch(r"[0-9.]+", host):
        return _is_address(host, ipaddress.IPv4Address)
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in host.removesuffix(".").split("."))


def _is_address(host: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        kind(host)
    except ValueError:
        return False
    return True


def _decoded(text: str, part: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise DatabaseUrlError(f"has a {part} with a `%` that encodes nothing: write %25")
    try:
        decoded = urllib.parse.unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise DatabaseUrlError(f"has a {part} whose percent-encoding is not UTF-8") from None
    if "\0" in decoded:
        raise DatabaseUrlError(f"has a {part} with a NUL character")
    return decoded


def _parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    problems: list[str] = []
    for number, pair in enumerate(filter(None, query.split("&")), 1):
        name, _, value = pair.partition("=")
        shown = f"the parameter `{name}`" if re.fullmatch(r"[A-Za-z_;-]{1,40}", name) else f"parameter {number}"
        if name in parameters:
            problems.append(f"sets {shown} twice")
        elif not value:
            problems.append(f"gives {shown} no value")
        else:
            parameters[name] = _decoded(value.replace("+", " "), f"value of {shown}")
            problems += [f"has {shown}, which {problem}" for problem in _wrong(name, parameters[name])]
    problems += _contradictions(parameters) if not problems else []
    if problems:
        raise DatabaseUrlError("; ".join(problems))
    return parameters


def _wrong(name: str, value: str) -> Iterator[str]:
    """Say what is wrong with one parameter. Its value is not shown: it may be a piece of something else."""
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            known = _CHOICES[name]
            yield f"must be one of {', '.join(known)}{_meant(_OTHER_WORDS.get(value.lower(), value), known)}"
    elif name in _PATTERNS:
        pattern, problem = _PATTERNS[name]
        if not pattern.fullmatch(value) or not value.isprintable():
            yield problem if value.isprintable() else "contains an invisible character"
    elif name.lower() in _PARTS:
        yield f"belongs in the URL itself, as in {SHAPE}"
    else:
        yield f"is not supported: leave it out{_meant(name, [*_CHOICES, *_PATTERNS])}"


def _meant(word: str, known: tuple[str, ...] | list[str]) -> str:
    close = difflib.get_close_matches(word.lower().removeprefix("amp;"), known, n=1, cutoff=0.7)
    return f" (did you mean `{close[0]}`?)" if close else ""


def _ssl_mode(parameters: Mapping[str, str]) -> str:
    """SQLAlchemy and node-postgres say `ssl` where libpq says `sslmode`."""
    ssl = parameters.get("ssl", "")
    return parameters.get("sslmode") or _BOOLEANS.get(ssl, ssl)


def _contradictions(parameters: Mapping[str, str]) -> Iterator[str]:
    mode = _ssl_mode(parameters)
    ssl = parameters.get("ssl", mode)
    if _BOOLEANS.get(ssl, ssl) != mode:
        yield "sets `ssl` and `sslmode` to different values: keep one"
    if mode == "disable" and parameters.get("channel_binding") == "require":
        yield "sets channel_binding=require and sslmode=disable, which exclude each other"

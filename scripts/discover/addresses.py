"""Names of other services in values: each becomes a reference, as specs/services.md has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scripts.discover import names

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^\s/@,\"']*@)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_HOST_PORT = re.compile(r"(?<![\w./@-])(?P<host>[A-Za-z][A-Za-z0-9_.-]*):(?P<port>\d{2,5})(?![\w.])")
_BRACES = re.compile(r"\{([a-z][a-z0-9-]*(?:\.[a-z_]+)?)\}")
_HERE = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - as others write it


@dataclass
class Known:
    """The services that a value may name."""

    by_alias: Mapping[str, str]
    """Every name that a service answers to, in lower case, and the service's own."""
    ports: Mapping[str, int]
    by_local_port: Mapping[int, str]
    """The service that a port of this machine leads to."""
    pages: frozenset[str]
    """Those that a browser opens."""
    database: str = ""
    """What the references call the bundled Postgres, which is among the aliases."""


@dataclass
class Written:
    """A value with references in it, and what follows from them."""

    text: str
    calls: set[str] = field(default_factory=set)
    browsed: set[str] = field(default_factory=set)
    """The services that a browser calls by it."""
    reason: str = ""


def written(text: str, name: str, own: str, known: Known) -> Written:
    """Return the value of the variable `name` of the service `own` with references in place of addresses."""
    found = Written(_BRACES.sub(r"{{\1}}", text))
    found.text = _URL.sub(lambda match: _url(match, name, own, known, found), found.text)
    if "://" not in found.text:
        found.text = _HOST_PORT.sub(lambda match: _pair(match, known, found), found.text)
        service = known.by_alias.get(found.text.lower())
        if service and names.of_a_host(name) and service != own:
            found.text = f"{{{service}}}"
            found.calls.add(service)
    return found


def _url(match: re.Match[str], name: str, own: str, known: Known, found: Written) -> str:
    host, port = match["host"].lower(), int(match["port"] or 0)
    if host in _HERE:
        return _here(match, name, own, known, found) if match["scheme"] in ("http", "https", "ws") and port else match[0]
    service = known.by_alias.get(host)
    if service is None or (service != known.database and service not in known.ports):
        return match[0]
    if names.for_browser(name) and match["scheme"] == "http":
        found.browsed.add(service)
        found.reason = f"a browser cannot find `{host}`, and gets the address on this machine"
        return f"{{{service}.local_url}}"
    if service == own:
        return match[0]
    if not names.faces_the_browser(name):
        found.calls.add(service)
    if match["scheme"] == "http":
        return f"{{{service}.url}}"
    return f"{match['scheme']}://{match['user'] or ''}{{{service}}}:{{{service}.port}}"


def _here(match: re.Match[str], name: str, own: str, known: Known, found: Written) -> str:
    service = known.by_local_port.get(int(match["port"]))
    if service is None:
        return match[0]
    if service == own or service in known.pages or names.faces_the_browser(name):
        if match["scheme"] != "http":
            return match[0]
        found.browsed.add(service)
        return f"{{{service}.local_url}}"
    found.calls.add(service)
    found.reason = f"localhost is the pod itself there, and `{service}` has its own"
    return f"{{{service}.url}}" if match["scheme"] == "http" else f"{match['scheme']}://{{{service}}}:{{{service}.port}}"


def _pair(match: re.Match[str], known: Known, found: Written) -> str:
    service = known.by_alias.get(match["host"].lower())
    if service is None or service not in known.ports:
        return match[0]
    found.calls.add(service)
    return f"{{{service}}}:{{{service}.port}}" if int(match["port"]) == known.ports[service] else f"{{{service}}}:{match['port']}"


def each_host(text: str, see: Callable[[str], None]) -> None:
    """Show each host that a URL in the text names."""
    for match in _URL.finditer(text):
        see(match["host"].lower())

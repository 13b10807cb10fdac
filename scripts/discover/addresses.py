"""Names of other services in values: each becomes a reference, as specs/services.md has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.discover import names

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<user>[^\s/@,\"']*@)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
_HOST_PORT = re.compile(r"(?<![\w./@-])(?P<host>[A-Za-z][A-Za-z0-9_.-]*):(?P<port>\d{2,5})(?![\w.])")
_THIS_MACHINE = re.compile(r"host\.(docker|minikube|k3d|containers)\.internal")
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
    built: frozenset[str] = frozenset()
    """Those that are built of the app's own sources."""
    database: str = ""
    """What the references call the bundled Postgres, which is among the aliases."""
    passwords: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The key of `.env` for each password that a server by image gets, by `Value.sameness`: clients that log in have the same value."""

    def find(self, host: str) -> str:
        """Return the service that a host name means: by a name of its own, or as `shop-backend-svc` means `backend`; or an empty string."""
        if known := self.by_alias.get(host.lower()):
            return known
        short = re.sub(r"-(svc|service)$", "", host.lower())
        like = {name for alias, name in self.by_alias.items() if short == alias or short.endswith(f"-{alias}")}
        return like.pop() if len(like) == 1 and "." not in short else ""


@dataclass
class Written:
    """A value with references in it, and what follows from them."""

    text: str
    calls: set[str] = field(default_factory=set)
    browsed: set[str] = field(default_factory=set)
    """The services that a browser calls by it."""
    reason: str = ""


@dataclass(frozen=True)
class _Reader:
    """Who reads a value."""

    service: str
    page: bool
    """A page is built with it, which a browser runs."""
    faces: bool
    """What it names on localhost is what a browser calls."""


def written(text: str, name: str, own: str, known: Known, *, built_in: bool = False) -> Written:
    """Return the value of the variable `name` of the service `own` with references in place of addresses.

    built_in: whether it goes into an image, where localhost can only be that of a browser.
    """
    reader = _Reader(own, names.for_browser(name), built_in or names.faces_the_browser(name))
    found = Written(_BRACES.sub(r"{{\1}}", text))
    found.text = _URL.sub(lambda match: _url(match, reader, known, found), found.text)
    if "://" not in found.text:
        found.text = _HOST_PORT.sub(lambda match: _pair(match, known, found), found.text)
        service = known.by_alias.get(found.text.lower())
        if service and names.of_a_host(name) and service != own:
            found.text = f"{{{service}}}"
            found.calls.add(service)
    return found


def _url(match: re.Match[str], reader: _Reader, known: Known, found: Written) -> str:
    host, port = match["host"].lower(), int(match["port"] or 0)
    if host in _HERE:
        return _here(match, reader, known, found) if match["scheme"] in ("http", "https", "ws") and port else match[0]
    service = known.by_local_port.get(port, "") if _THIS_MACHINE.fullmatch(host) else known.find(host)
    if not service or (service != known.database and service not in known.ports):
        return match[0]
    if reader.page and match["scheme"] == "http":
        found.browsed.add(service)
        found.reason = f"a browser cannot find `{host}`, and gets the address on this machine"
        return f"{{{service}.local_url}}"
    if service != reader.service and not reader.faces:
        found.calls.add(service)
    if match["scheme"] == "http":
        return f"{{{service}.url}}"
    return f"{match['scheme']}://{match['user'] or ''}{{{service}}}:{{{service}.port}}"


def _here(match: re.Match[str], reader: _Reader, known: Known, found: Written) -> str:
    service = known.by_local_port.get(int(match["port"]))
    if service is None:
        return match[0]
    if reader.faces or service == reader.service or service in known.pages:
        if match["scheme"] != "http" or match["host"] != "localhost":
            return match[0]  # as the list of origins that it mostly is
        found.browsed.add(service)
        return f"{{{service}.local_url}}"
    found.calls.add(service)
    found.reason = f"localhost is the pod itself there, and `{service}` has its own"
    return f"{{{service}.url}}" if match["scheme"] == "http" else f"{match['scheme']}://{{{service}}}:{{{service}.port}}"


def _pair(match: re.Match[str], known: Known, found: Written) -> str:
    here = _THIS_MACHINE.fullmatch(match["host"])  # a port of it may lead to a service
    service = known.by_local_port.get(int(match["port"]), "") if here else known.find(match["host"])
    if service not in known.ports:
        return match[0]
    found.calls.add(service)
    same = here or int(match["port"]) == known.ports[service]
    return f"{{{service}}}:{{{service}.port}}" if same else f"{{{service}}}:{match['port']}"


def names_this_machine(text: str) -> bool:
    """Return whether a text names the machine that containers run on, which pods do not reach."""
    return bool(_THIS_MACHINE.search(text))

"""Whether the app's containers can reach the database that DATABASE_URL names, reported before anything is built."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterator

from scripts.config import database_url
from scripts.config.database_url import DatabaseUrl
from scripts.config.env_file import EnvFile
from scripts.config.proxies import Proxy, is_loopback
from scripts.config.settings import Settings
from scripts.core.check import Problem
from scripts.desired.egress import Address, Egress, egress_of

ENCRYPTED = ("require", "verify-ca", "verify-full")
THIS_MACHINE = ("host.docker.internal", "gateway.docker.internal", "host.minikube.internal", "host.k3d.internal", "host.lima.internal")
Place = DatabaseUrl | Proxy
IPV6_ALONE = (
    "names a host with IPv6 addresses alone, and containers here usually have none: use one with IPv4 "
    "(Supabase: the host of its pooler), or give Docker and the cluster IPv6"
)
RESOLVE_SECONDS = 2.0
WRITE = "under chart.values in invoke.yaml, write"


def databases(settings: Settings, env: EnvFile) -> Iterator[tuple[str, DatabaseUrl]]:
    """Yield each key of `.env` that names a database, with what its URL means."""
    for key, rule in settings.env.items():
        if rule.format == "postgres_url" and env.get(key):
            yield key, database_url.parse(env.get(key))


def doubts(key: str, url: DatabaseUrl) -> Iterator[str]:
    """Yield what is doubtful about a URL."""
    address = _address(url.host)
    private = bool(address and address.is_private) or url.host in THIS_MACHINE
    if url.ssl_mode not in ENCRYPTED and not private and not is_loopback(url.host):
        yield f"{key} does not ask for TLS, so the password may cross the network in clear: end it with ?sslmode=require"
    options = url.parameters.get("options", "")
    if options and url.pooled and not options.startswith(("endpoint=", "project=")):  # these are for Neon's own proxy
        yield f"{key} sends `options` to a pooler, which refuses them: use the direct host, or leave them out"
    if url.parameters.get("sslrootcert", "system") != "system":
        yield f"{key} names a file in sslrootcert: it must be in the service's image, a file of this machine is not seen there"
    if "." not in url.host and address is None and not is_loopback(url.host):
        yield f"{key} names a host without a domain: only a Service in the app's namespace has such a name"


def unreachable(key: str, url: Place) -> Iterator[Problem]:
    """Yield why no container can reach the database, on any engine."""
    if is_loopback(url.host):
        yield Problem(
            f"{key} names {_shown(url.host)}, which inside a container is the container itself",
            "name this machine as containers see it (its address in the network, or host.docker.internal), and let Postgres listen there",
        )


def blocked(key: str, url: Place, settings: Settings) -> Iterator[Problem]:
    """Yield why network policies keep a service from its database, with the setting that lets it through."""
    port = url.port or database_url.PORT
    for name, service in settings.services.items():
        egress = egress_of(settings, name) if key in service.env_keys else None
        if egress and not is_loopback(url.host) and not _may_reach(url.host, port, egress):
            if _address(url.host) or url.host in THIS_MACHINE:
                opened = _opened(name, url.host, port)
            elif private := next((address for address in resolve(url.host) if address.is_private), None):
                opened = _opened(name, str(private), port)
            else:
                ports = ", ".join(map(str, [*egress.open_ports, port]))
                opened = f"in invoke.yaml, write services: {{{name}: {{internet: [{ports}]}}}}"
            yield Problem(f"{key} names {_shown(url.host)}, port {port}, where the network policy of {name} does not let it", opened)


def _may_reach(host: str, port: int, egress: Egress) -> bool:
    address = _address(host)
    if address:
        return egress.lets(address, port)
    return egress.names(port) if host in THIS_MACHINE else egress.has_open(port)


def seems_blocked(key: str, url: Place, settings: Settings) -> Iterator[str]:
    """Yield a doubt where the host's name means a private address here; another network may know it by another one."""
    port = url.port or database_url.PORT
    if _address(url.host) or url.host in THIS_MACHINE or "." not in url.host:
        return
    found = resolve(url.host)
    if found and all(address.version == 6 for address in found):
        yield f"{key} {IPV6_ALONE}"
        return
    for name, service in settings.services.items():
        egress = egress_of(settings, name) if found and key in service.env_keys else None
        if egress and egress.has_open(port) and not any(egress.lets(address, port) for address in found):
            opened = _opened(name, str(found[0]), port)
            yield f"{key} names a host that is {found[0]} here, where the network policy of {name} does not let it: {opened}"


def resolve(host: str) -> list[Address]:
    """Return the addresses of a name; none where nobody knows it or the answer takes long."""
    found: list[Address] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(ipaddress.ip_address(answer[4][0]) for answer in answers if "%" not in str(answer[4][0]))

    thread = threading.Thread(target=ask, daemon=True)  # the resolver has no time limit of its own
    thread.start()
    thread.join(RESOLVE_SECONDS)
    return list(found)


def _shown(host: str) -> str:
    """A name may be a piece of a password that was not encoded; an address is needed for the remedy."""
    return host if _address(host) or host in (*THIS_MACHINE, "localhost") else "a host"


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _opened(service: str, host: str, port: int) -> str:
    """What to write to let a service reach one address."""
    address = _address(host)
    network = f"{address}/{address.max_prefixlen}" if address else "ADDRESS/32"
    return f"{WRITE} services: {{{service}: {{addresses: [{{cidr: {network}, ports: [{port}]}}]}}}}"

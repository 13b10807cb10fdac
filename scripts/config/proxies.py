"""Proxy variables, and what is wrong with them. Their values may hold a password, and are not shown."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SCHEMES = ("http", "https")
SOCKS = "is a SOCKS proxy, which builds and pods do not take: name an HTTP proxy in HTTP_PROXY and HTTPS_PROXY"


@dataclass(frozen=True)
class Proxy:
    """Where a proxy is."""

    host: str
    port: int


def parse(value: str) -> Proxy | None:
    """Return where the proxy is that a variable names, or None where it names none."""
    try:
        parts = urllib.parse.urlsplit(value)
        port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    except ValueError:
        return None
    if "@" in f"{parts.path}{parts.query}{parts.fragment}":  # a password that is not encoded has ended the address
        return None
    if parts.netloc.endswith(":"):  # http://http://proxy:3128
        return None
    return Proxy(parts.hostname, port) if parts.hostname else None


def proxy_warnings(environment: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the proxy variables."""
    proxies = {name: environment.get(name) or environment.get(name.lower(), "") for name in NAMES}
    spared = proxies["HTTP_PROXY"] and proxies["HTTPS_PROXY"]  # what ALL_PROXY says then counts for nothing of ours
    warnings = [
        f"{name} {problem}"
        for name, value in proxies.items()
        for problem in problems(value)
        if not (spared and name == "ALL_PROXY" and problem == SOCKS)
    ]
    for name in NAMES:
        upper, lower = environment.get(name), environment.get(name.lower())
        if upper and lower and upper != lower:
            warnings.append(f"{name} and {name.lower()} differ: programs will disagree about which one counts")
    if any(proxies.values()):
        excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
        if not any(_covers_this_machine(entry.strip()) for entry in excluded.split(",")):
            warnings.append("a proxy is set and NO_PROXY does not name localhost,127.0.0.1: calls to this machine will go to the proxy")
    return warnings


def problems(value: str) -> Iterator[str]:
    """Yield what is wrong with a proxy, each as the end of a sentence that begins with its variable."""
    if not value:
        return
    proxy, scheme = parse(value), value.partition(":")[0].lower()
    if not proxy:
        yield "is no URL such as http://user:password@proxy.example:3128 (a password's own @ / ? # % are %40 %2F %3F %23 %25)"
    elif scheme.startswith("socks"):
        yield SOCKS
    elif scheme not in SCHEMES:
        yield "has the scheme of no HTTP proxy: begin it with http://"
    if proxy and is_loopback(proxy.host):
        yield (
            "is on this machine's loopback address, which pods and a cluster's nodes do not reach: "
            "give it an address that they do, such as that of Docker's bridge (`docker network inspect bridge`)"
        )


def is_loopback(host: str) -> bool:
    """Return whether a host is the machine that asks, whichever it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def _covers_this_machine(entry: str) -> bool:
    if entry in ("*", *LOCAL_NAMES):
        return True
    try:
        return ipaddress.ip_address("127.0.0.1") in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def is_set(environment: Mapping[str, str]) -> bool:
    """Return whether a proxy is named for HTTP or HTTPS."""
    return any(environment.get(name) or environment.get(name.lower()) for name in NAMES)


def without_proxy(environment: Mapping[str, str], hosts: Sequence[str]) -> dict[str, str | None]:
    """Return NO_PROXY with these hosts or networks added, for programs that must reach them directly; nothing where no proxy is set."""
    if not hosts or not is_set(environment):
        return {}
    before = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    named = [part for part in before.split(",") if part]
    value = ",".join([*named, *(host for host in hosts if host not in named)])
    return {"NO_PROXY": value, "no_proxy": value}


def is_near(host: str) -> bool:
    """Return whether a host is one that no proxy for the internet leads to: a private address, or a name that only this network knows."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith((".local", ".internal", ".lan", ".localhost", ".test"))
    return address.is_private or address.is_loopback or address.is_link_local

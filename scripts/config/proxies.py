"""What is wrong with the proxy variables of this machine. Their values may hold a password, and are not shown."""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
SCHEMES = ("http", "https")


def proxy_warnings(environment: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the proxy variables."""
    proxies = {name: environment.get(name) or environment.get(name.lower(), "") for name in NAMES}
    warnings = [warning for name, value in proxies.items() for warning in _wrong(name, value, proxies)]
    for name in NAMES:
        upper, lower = environment.get(name), environment.get(name.lower())
        if upper and lower and upper != lower:
            warnings.append(f"{name} and {name.lower()} differ: programs will disagree about which one counts")
    if any(proxies.values()):
        excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
        if not any(_covers_this_machine(entry.strip()) for entry in excluded.split(",")):
            warnings.append("a proxy is set and NO_PROXY does not name localhost,127.0.0.1: calls to this machine will go to the proxy")
    return warnings


def _wrong(name: str, value: str, proxies: Mapping[str, str]) -> Iterator[str]:
    if not value:
        return
    try:
        parts = urllib.parse.urlsplit(value)
        scheme, host, _ = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        scheme, host = "", ""
    if not host:
        yield f"{name} is no URL such as http://proxy.example:3128"
    elif scheme.startswith("socks"):
        if name != "ALL_PROXY" or not (proxies["HTTP_PROXY"] and proxies["HTTPS_PROXY"]):
            yield f"{name} is a SOCKS proxy, which downloads and builds do not take: name an HTTP proxy in HTTP_PROXY and HTTPS_PROXY"
    elif scheme not in SCHEMES:
        yield f"{name} has the scheme of no HTTP proxy: begin it with http://"
    if is_loopback(host):
        yield (
            f"{name} is on this machine's loopback address, which is another machine in builds and in pods: "
            "give it an address that containers reach, such as that of Docker's bridge (`docker network inspect bridge`)"
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

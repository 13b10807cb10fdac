"""Where a service may connect to by the chart's network policy, before anything is installed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from scripts.config.settings import Settings
from scripts.core.nested import at
from scripts.core.paths import ROOT
from scripts.desired.service_values import derived_values

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Egress:
    """The edges of one service to what is outside the cluster."""

    open_ports: tuple[int, ...]
    """To any IPv4 address but those of `closed`."""
    closed: tuple[str, ...]
    addresses: tuple[tuple[str, tuple[int, ...]], ...]
    """Single networks, and the ports that are open there."""

    def lets(self, address: Address, port: int) -> bool:
        """Return whether the policy lets through what goes to this address and port."""
        if any(port in ports and _within(address, network) for network, ports in self.addresses):
            return True
        return port in self.open_ports and address.version == 4 and not any(_within(address, network) for network in self.closed)

    def has_open(self, port: int) -> bool:
        """Return whether the port is open to anything at all."""
        return port in self.open_ports or self.names(port)

    def names(self, port: int) -> bool:
        """Return whether some network of `addresses` has the port open."""
        return any(port in ports for _, ports in self.addresses)


def egress_of(settings: Settings, service: str) -> Egress | None:
    """Return the edges of a service by the chart's values and ours; None where there are no network policies."""
    layers = [settings.chart.values, derived_values(settings), _chart_values(ROOT / settings.chart.path)]
    if not first_value("networkPolicy.enabled", layers):
        return None

    def setting(path: str) -> list[Any]:
        found = (first_value(f"{where}.{path}", layers) for where in (f"services.{service}", "serviceDefaults"))
        return next((value for value in found if isinstance(value, list)), [])

    return Egress(
        _ports(setting("internet.ports")),
        tuple(map(str, setting("internet.except"))),
        tuple((str(entry.get("cidr")), _ports(entry.get("ports"))) for entry in setting("addresses") if isinstance(entry, Mapping)),
    )


def _ports(found: Any) -> tuple[int, ...]:
    return tuple(port for port in found if isinstance(port, int)) if isinstance(found, list | tuple) else ()


def first_value(path: str, layers: Sequence[Mapping[str, Any]]) -> Any:
    """Return the value at a path in the first layer that has it, or None."""
    found = (at(layer, *path.split(".")) for layer in layers)
    return next((value for value in found if value is not None), None)


def _within(address: Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


@lru_cache
def _chart_values(chart: Path) -> Mapping[str, Any]:
    """The chart's own values; none where they cannot be read, which helm will say better."""
    try:
        found = yaml.safe_load((chart / "values.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, Mapping) else {}

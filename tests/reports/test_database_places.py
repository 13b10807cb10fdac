"""A database that the app's containers cannot reach is told before anything is built, with the setting that lets them."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import yaml

from scripts.config.database_url import parse
from scripts.config.settings import Settings, load_settings
from scripts.core.paths import ROOT
from scripts.desired import database_reach
from scripts.desired.database_reach import blocked, doubts, seems_blocked, unreachable

pytestmark = pytest.mark.unit

REPORTED = yaml.safe_load((ROOT / "tests/reports/database_places.yaml").read_text())
KEY = "DATABASE_URL"


def with_values(services: dict[str, Any], **values: Any) -> Settings:
    settings = load_settings()
    return settings.model_copy(update={"chart": settings.chart.model_copy(update={"values": {"services": services, **values}})})


INTERNET = {"backend": {"internet": {"ports": [443, 5432]}}}


@pytest.mark.parametrize("row", REPORTED, ids=lambda row: row["host"])
def test_what_cannot_be_reached_is_told_with_the_setting(row: dict[str, str]) -> None:
    url = parse(f"postgresql://u:p@{row['host']}/d")
    without = "\n".join(map(str, unreachable(KEY, url)))
    within = "\n".join([without, *map(str, blocked(KEY, url, with_values(INTERNET)))]).strip()
    for told, says in ((without, row["docker"]), (within, row["kubernetes"])):
        assert (says in told) if says else not told


@pytest.mark.parametrize("host", [row["host"] for row in REPORTED if "services:" in row["kubernetes"] or "cidr" in row["kubernetes"]])
def test_the_setting_that_is_told_lets_it_through(host: str) -> None:
    url = parse(f"postgresql://u:p@{host}/d")
    [told] = map(str, blocked(KEY, url, with_values(INTERNET)))
    services = yaml.safe_load(told.partition("write services: ")[2].replace("ADDRESS", "192.168.49.1"))
    if "under chart.values" in told:
        assert list(blocked(KEY, url, with_values(services))) == []
        return
    settings = load_settings()
    [(name, said)] = services.items()
    opened = settings.services[name].model_copy(update={"internet": tuple(said["internet"])})
    assert list(blocked(KEY, url, settings.model_copy(update={"services": {**settings.services, name: opened}}))) == []


def test_ours_open_the_ports_of_neon_and_no_private_network() -> None:
    assert list(blocked(KEY, parse("postgresql://u:p@ep-x-1.eu-central-1.aws.neon.tech/d"), load_settings())) == []
    assert list(blocked(KEY, parse("postgresql://u:p@192.168.1.7/d"), load_settings()))


def test_without_policies_nothing_is_blocked() -> None:
    assert list(blocked(KEY, parse("postgresql://u:p@10.0.0.5/d"), with_values({}, networkPolicy={"enabled": False}))) == []


def test_a_service_without_the_key_is_not_asked() -> None:
    told = "\n".join(map(str, blocked(KEY, parse("postgresql://u:p@10.0.0.5/d"), load_settings())))
    assert "backend" in told
    assert "frontend" not in told


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("10.9.9.9", "names a host that is 10.9.9.9 here"),
        ("2600:1f16:1cd0:3301::1", "IPv6 addresses alone, and containers here usually have none: use one with IPv4 (Supabase: "),
        ("93.184.216.34", ""),
        (None, ""),
    ],
)
def test_a_name_that_means_a_private_address_here_is_a_doubt(address: str | None, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_reach, "resolve", lambda _: [ipaddress.ip_address(address)] if address else [])
    found = "\n".join(seems_blocked(KEY, parse("postgresql://u:p@db.corp.example/d"), load_settings()))
    assert (told in found) if told else not found


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr(database_reach.socket, "getaddrinfo", fail)
    assert database_reach.resolve("db.corp.example") == []


NEON = "postgresql://todo:marked-secret@ep-x-1-pooler.eu-central-1.aws.neon.tech/todo"


@pytest.mark.parametrize(
    ("url", "doubt"),
    [
        (f"{NEON}?sslmode=require&channel_binding=require", ""),
        (f"{NEON}?ssl=true", ""),
        (NEON, "does not ask for TLS"),
        (f"{NEON}?sslmode=prefer", "does not ask for TLS"),
        ("postgresql://todo:marked-secret@10.0.0.5/todo", ""),
        (f"{NEON}?sslmode=require&options=-csearch_path%3Dx", "sends `options` to a pooler"),
        (f"{NEON}?sslmode=require&options=endpoint%3Dep-x-1", ""),
        (f"{NEON}?sslmode=verify-full&sslrootcert=/etc/ca.pem", "must be in the service's image"),
        ("postgresql://todo:marked-secret@db:5432/todo?sslmode=require", "a host without a domain"),
    ],
)
def test_what_is_doubtful_is_told(url: str, doubt: str) -> None:
    found = "\n".join(doubts(KEY, parse(url)))
    assert (doubt in found) if doubt else not found
    assert "marked-secret" not in found

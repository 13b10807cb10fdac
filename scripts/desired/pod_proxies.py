"""The proxy that pods take to the internet, where this machine needs one: whether they are given it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping

from scripts.config import database_url, proxies
from scripts.config.env_file import EnvFile
from scripts.config.proxies import Proxy
from scripts.config.settings import Settings
from scripts.desired.database_reach import THIS_MACHINE, databases, resolve
from scripts.desired.egress import egress_of, first_value
from scripts.desired.service_values import derived_values

NAME = "HTTPS_PROXY"
CONNECT_SECONDS = 2.0


def given(settings: Settings, env: EnvFile) -> Iterator[tuple[str, Proxy]]:
    """Yield each key of `.env` that hands a proxy to pods, with where it is."""
    for key in settings.env:
        if key in proxies.NAMES and (proxy := proxies.parse(env.get(key))):
            yield key, proxy


def doubts(settings: Settings, env: EnvFile, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what pods may not reach, since this machine has a proxy and they have not."""
    if not proxies.is_set(environment):
        return
    for name, service in settings.services.items():
        accounts = [each.key for each in service.secrets if _is_account(each.key, settings, env)]
        if accounts and not _has_proxy(name, settings, env) and ((egress := egress_of(settings, name)) is None or egress.open_ports):
            listed = (
                ""
                if any(each.name == NAME for each in service.secrets)
                else f", {NAME} under env and services.{name}.secrets in invoke.yaml"
            )
            yield (
                f"this machine has a proxy, and the pods of {name} are given none: if what {' and '.join(accounts)} is for "
                f"can be reached through it alone, write {NAME}=… into .env{listed}"
            )
    for key, url in databases(settings, env):
        port = url.port or database_url.PORT
        if not proxies.is_near(url.host) and url.host not in THIS_MACHINE and not _answers(url.host, port):
            yield (
                f"{key}: its host does not answer this machine on port {port}, and no HTTP proxy leads to a database: "
                f"have the port opened, or leave {key} empty"
            )


def _is_account(key: str, settings: Settings, env: EnvFile) -> bool:
    """Whether a key is somebody else's: not generated here, no database and no proxy."""
    rule = settings.env[key]
    return bool(env.get(key)) and not rule.generate and rule.format != "postgres_url" and key not in proxies.NAMES


def _has_proxy(service: str, settings: Settings, env: EnvFile) -> bool:
    plain = (f"{where}.env.{name}" for where in (f"services.{service}", "serviceDefaults") for name in proxies.NAMES)
    secret = (each.key for each in settings.services[service].secrets if each.name in proxies.NAMES)
    return any(map(env.get, secret)) or any(first_value(path, [settings.chart.values, derived_values(settings)]) for path in plain)


def _answers(host: str, port: int) -> bool:
    for address in resolve(host):
        with contextlib.suppress(OSError), socket.create_connection((str(address), port), CONNECT_SECONDS):
            return True
    return False

"""The Secrets of the app: what each service gets, under a name that carries a hash of the content."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.config.env_file import EnvFile
from scripts.config.services import Variable
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.hashes import NAME, short_hash
from scripts.core.redaction import redact
from scripts.desired.labels import COMPONENT

PULL = "image.pull"
"""Whose the Secret is that nodes log in to a registry with; no service can have this name."""
ALSO = "_ALSO"
"""What is added to the name of a key for the second value that is taken while the first one changes."""
LARGEST = 2**20
"""Bytes of all values of one Secret (Kubernetes: MaxSecretSize)."""


@dataclass(frozen=True)
class Value:
    """What a key with `overlap` is at a time: what is sent, and what else is taken, if anything."""

    sent: str = field(repr=False)
    also: str = field(default="", repr=False)


@dataclass(frozen=True)
class Secret:
    """One Kubernetes Secret. Its `repr` shows key names only."""

    service: str
    name: str
    values: Mapping[str, str] = field(repr=False)
    type: str = "Opaque"

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of its keys, sorted."""
        return tuple(sorted(self.values))

    def manifest(self, namespace: str, labels: Mapping[str, str]) -> str:
        """Return the Secret as JSON for the standard input of `kubectl`; immutable, since its name changes with its content."""
        metadata = {
            "name": self.name,
            "namespace": namespace,
            "labels": {**labels, COMPONENT: self.service},
        }
        secret = {"apiVersion": "v1", "kind": "Secret", "type": self.type, "immutable": True, "metadata": metadata}
        return json.dumps({**secret, "stringData": dict(self.values)})


def uses_bundled_database(settings: Settings, env: EnvFile) -> bool:
    """Whether the app runs on the bundled Postgres: some key has a default that only the bundled Postgres can answer, and is empty."""
    return any(rule.format == "postgres_url" and rule.default and not env.get(key) for key, rule in settings.env.items())


def value_of(key: str, settings: Settings, env: EnvFile) -> str:
    """Return what a service gets for `key`: the value in `.env`, else the default with other keys' values put in."""
    value = env.get(key)
    if value:
        return value
    known = {"release": settings.release}
    return re.sub(r"\{(\w+)\}", lambda m: known.get(m[1]) or urllib.parse.quote(env.get(m[1]), safe=""), settings.env[key].default)


def with_scheme(url: str, scheme: str) -> str:
    """Return a database URL in the form of one program: with this scheme, and for asyncpg with what it knows: `ssl` for `sslmode`."""
    rest = url.partition("://")[2]
    if scheme.endswith("+asyncpg"):
        before, mark, query = rest.partition("?")
        kept = [part.replace("sslmode=", "ssl=", 1) for part in query.split("&") if not part.startswith("channel_binding=")]
        rest = f"{before}{mark if any(kept) else ''}{'&'.join(kept)}"
    return f"{scheme}://{rest}"


def desired_secrets(settings: Settings, env: EnvFile, at: Mapping[str, Value] | None = None) -> list[Secret]:
    """Return the Secrets that the app needs, each with the variables that its service lists; empty optional keys are left out.

    at: what some keys are on the way to what `.env` says. Raises InputError where Kubernetes would refuse one.
    """
    wanted = {name: service.secrets for name, service in settings.services.items()}
    if settings.database and uses_bundled_database(settings, env):
        wanted["postgres"] = tuple(Variable(key, key) for key in settings.database.secrets)
    secrets = []
    for service, variables in wanted.items():
        values = {name: value for variable in variables for name, value in _held(variable, settings, env, at or {}) if value}
        redact.learn(*values.values())
        size = sum(len(value.encode()) for value in values.values())
        if size > LARGEST:
            raise InputError(
                f".env: the values of {service} add up to {size / 1024:.0f} KiB, and a Secret holds at most {LARGEST // 1024} KiB",
                f"list fewer keys in services.{service}.secrets, or shorten {max(values, key=lambda key: len(values[key]))}",
                code="env-file-invalid",
            )
        if values:
            secrets.append(Secret(service, f"{settings.release}-{service}-{_digest(values)}", values))
    return secrets


def pull_secret(settings: Settings, env: EnvFile) -> Secret | None:
    """Return the Secret that nodes log in to the registry with, as `docker login` would write it; None where they need not."""
    registry, key = settings.kube_context.pushes_to, settings.kube_context.registry_login
    login = env.get(key) if registry and key else ""
    if not login:
        return None
    user, _, password = login.partition(":")
    redact.learn(password)
    config = json.dumps({"auths": {registry.partition("/")[0]: {"username": user, "password": password}}})
    values = {".dockerconfigjson": config}
    return Secret(PULL, f"{settings.release}-image-pull-{_digest(values)}", values, "kubernetes.io/dockerconfigjson")


def is_pull_secret(name: str) -> bool:
    """Return whether a Secret of this name is one of ours that nodes log in to a registry with."""
    return re.search(rf"-image-pull-[0-9a-f]{{{NAME}}}$", name) is not None


def _held(variable: Variable, settings: Settings, env: EnvFile, at: Mapping[str, Value]) -> list[tuple[str, str]]:
    """The variables that one of a service's becomes, in the form that the service asks for."""
    name, key = variable.name, variable.key
    held = [(name, at[key].sent), (name + ALSO, at[key].also)] if key in at else [(name, value_of(key, settings, env))]
    return [(each, with_scheme(value, variable.scheme) if value and variable.scheme else value) for each, value in held]


def _digest(values: Mapping[str, str]) -> str:
    return short_hash(json.dumps(values, sort_keys=True), NAME)

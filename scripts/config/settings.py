"""All configuration that is no secret: `invoke.yaml`, checked as a whole before anything else happens."""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from scripts.core.errors import InputError, all_problems
from scripts.core.paths import ROOT
from scripts.core.strict import Strict

INVOKE_SECTIONS = {"run", "runners", "sudo", "tasks", "timeouts"}  # Invoke's own keys in the same file

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")]
ReleaseName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,34}[a-z0-9])?$")]
"""36 characters at most, so that a Service's name, RELEASE-SERVICE, fits into the 63 that DNS allows."""
Port = Annotated[int, Field(ge=1, le=65535)]
RepoPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]


class Source(Strict):
    """What an image of ours is made of, and the keys of `.env` that its containers get."""

    context: RepoPath
    dockerfile: RepoPath
    base: str
    secrets: tuple[str, ...] = Field(default=(), strict=False)


class Service(Source):
    """One service of the app, and how it is asked for its health."""

    port: Port
    local_port: Port
    health: str = "/health"
    ready: str = "/ready"
    metrics: str = "/metrics"
    public: bool = False
    """Whether a person opens it in a browser."""


class Database(Source):
    """The Postgres of our own."""

    exporter: Source
    """Beside it where Prometheus runs: it shows the database's metrics."""


class Base(Strict):
    """A base image: the registry's, and the Debian packages that make one where no registry answers."""

    image: str
    packages: tuple[str, ...] = Field(strict=False)
    runtime_packages: tuple[str, ...] = Field(default=(), strict=False)
    """When set, a second, smaller base for the last stage: build argument RUNTIME_IMAGE."""
    recipe: RepoPath | None = None
    """A folder of files to lay over the root file system of a base made from packages."""


class EnvKey(Strict):
    """One key of `.env`."""

    description: str
    optional: bool = False
    generate: bool = False
    format: Literal["text", "postgres_url"] = "text"
    default: str = ""
    """What the services get where the value is empty; {KEY} stands for the URL-quoted value of another key, {release} for the release."""


class Minikube(Strict):
    """The cluster that we start. Every value is passed to Minikube explicitly."""

    driver: str
    cpus: Annotated[int, Field(ge=2)]
    memory_mib: Annotated[int, Field(ge=1800)]
    disk_gib: Annotated[int, Field(ge=10)]
    runtime: Literal["containerd", "docker"]
    cni: str
    addons: tuple[str, ...] = Field(strict=False)


class KubeContext(Strict):
    """A cluster that is there already. Empty: this engine is not used."""

    context: str = ""
    images: Literal["auto", "kind", "k3d", "containerd", "registry"] = "auto"
    registry: str = ""
    containerd_socket: str = ""


class Chart(Strict):
    """The app's chart, and values of it that differ from its defaults."""

    path: RepoPath
    timeout_seconds: Annotated[int, Field(ge=10)]
    values: dict[str, Any] = Field(default_factory=dict)


class PinnedChart(Strict):
    """Somebody else's chart in one version, and our values for it."""

    chart_version: str
    chart_repository: str
    chart_sha256: str = ""
    values: RepoPath


class Adapter(PinnedChart):
    """prometheus-adapter, which shows a metric of Prometheus to the autoscalers."""

    requests_in_flight: Annotated[int, Field(ge=0)]
    """Requests under way in a pod, above which pods are added; 0: not installed."""


class Monitoring(PinnedChart):
    """kube-prometheus-stack beside the app."""

    enabled: bool
    namespace: Name
    release: Name
    adapter: Adapter


class Build(Strict):
    """How images are built."""

    base_source: Literal["auto", "registry", "packages"] = "auto"
    extra_ca: str = ""
    """A PEM file for builds behind a gateway that re-signs TLS; empty: the one that SSL_CERT_FILE names, if any."""
    timeout_seconds: Annotated[int, Field(ge=60)] = 1800


class Needs(Strict):
    """What `up` needs of this machine, checked before it starts."""

    free_disk_gib: Annotated[float, Field(ge=0)]
    free_memory_mib: Annotated[int, Field(ge=0)]


class Tool(Strict):
    """A program that an engine needs: the versions that do, and the one that `invoke setup` brings."""

    version: str
    minimum: str
    below: str = ""


class Settings(Strict):
    """The whole of `invoke.yaml`."""

    project: Name
    engine: Literal["auto", "minikube", "kube_context", "docker"]
    namespace: Name
    release: ReleaseName
    kubernetes_version: Annotated[str, Field(pattern=r"^v1\.\d+\.\d+$")]
    services: dict[Name, Service] = Field(min_length=1)
    smoke: RepoPath | None = None
    """A Python file of the app, whose `prove(ask)` proves one real use of it. Without one, health, readiness and pages are asked."""
    database: Database
    """Used where DATABASE_URL is empty."""
    base_images: dict[Name, Base]
    env: dict[str, EnvKey]
    build: Build
    chart: Chart
    minikube: Minikube
    kube_context: KubeContext
    monitoring: Monitoring
    needs: Needs
    tools: dict[str, Tool]

    @model_validator(mode="after")
    def _names_refer(self) -> Settings:
        problems = []
        sources: list[tuple[str, Source]] = [(f"services.{n}", s) for n, s in self.services.items()]
        for where, part in [*sources, ("database", self.database), ("database.exporter", self.database.exporter)]:
            if part.base not in self.base_images:
                problems.append(f"{where}.base: no base named `{part.base}`{_meant(part.base, self.base_images)}")
            problems += [f"{where}.secrets: `{k}` is not under env{_meant(k, self.env)}" for k in part.secrets if k not in self.env]
            problems += [f"{where}: {p} does not exist" for p in (part.context, part.dockerfile) if not (ROOT / p).exists()]
        if self.smoke and not (ROOT / self.smoke).is_file():
            problems.append(f"smoke: {self.smoke} does not exist")
        ports: dict[int, str] = {}
        for name, service in self.services.items():
            if service.local_port in ports:
                problems.append(f"services.{name}.local_port: {service.local_port} is taken by {ports[service.local_port]}")
            ports[service.local_port] = name
        if problems:
            raise ValueError("\n".join(problems))
        return self


def _meant(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, [str(k) for k in known], n=1)
    return f" (did you mean `{close[0]}`?)" if close else ""


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """Return the keys and values in `text`, unchecked. Raises InputError when it is no YAML, with the place."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" on line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{name} is not YAML{where}: {getattr(error, 'problem', None) or 'cannot be read'}", "fix it there") from None
    if not isinstance(raw, dict):
        raise InputError(f"{name} holds no settings", "restore it: git checkout invoke.yaml")
    return raw


def parse_settings(text: str, name: str = "invoke.yaml", engine: str | None = None) -> Settings:
    """Return the settings in `text`; `engine` overrides the one named there.

    Raises InputError that names every problem with its place.
    """
    raw = parse_yaml(text, name)
    raw = {key: value for key, value in raw.items() if key not in INVOKE_SECTIONS}
    if engine:
        raw["engine"] = engine
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        problems = [line for item in error.errors() for line in _problem(item)]
        raise all_problems(name, problems, f"fix {name}. Nothing was changed") from None


def _problem(item: Any) -> list[str]:
    place = ".".join(str(part) for part in item["loc"] if part != "[key]")
    if item["type"] == "extra_forbidden":
        return [f"{place}: unknown key{_meant(str(item['loc'][-1]), _keys_beside(item['loc']))}"]
    if item["type"] == "missing":
        return [f"{place}: is missing"]
    if item["type"] == "value_error":
        return str(item["ctx"]["error"]).splitlines()
    got = item["input"]
    shown = f", not {got!r}" if isinstance(got, str | int | float | bool) else ""
    return [f"{place}: {item['msg'][0].lower()}{item['msg'][1:]}{shown}"]


def _keys_beside(place: tuple[int | str, ...]) -> list[str]:
    """The keys that the model has where an unknown one stands."""
    model: Any = Settings
    for part in place[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        annotation = field.annotation if field else model
        arguments = getattr(annotation, "__args__", ())
        model = arguments[-1] if arguments and field else annotation
    return list(getattr(model, "model_fields", {}))


def read_text() -> str:
    """Return the text of `invoke.yaml`. Raises InputError."""
    path = ROOT / "invoke.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"invoke.yaml cannot be read: {error.strerror}", "run invoke from a full checkout") from None
    return text


@lru_cache
def load_settings(engine: str | None = None) -> Settings:
    """Return the settings of this checkout. Raises InputError."""
    return parse_settings(read_text(), engine=engine)

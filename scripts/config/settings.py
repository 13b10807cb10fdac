"""All configuration that is no secret: `invoke.yaml`, checked as a whole before anything else happens."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from scripts.config import database_url, text_file, yaml_text
from scripts.config.assistants import Ask, Kagent, Tool
from scripts.config.database_url import DatabaseUrlError
from scripts.config.placeholders import variable_in
from scripts.config.service_problems import ingress_problems, source_problems
from scripts.config.service_problems import problems as service_problems
from scripts.config.services import AnyPath, KeyName, Service, ServiceName, Source, local_path
from scripts.config.validation import meant, problems_of
from scripts.core.errors import InputError, all_problems
from scripts.core.paths import ROOT
from scripts.core.strict import Strict

EngineName = Literal["auto", "minikube", "kube_context", "docker"]
"""The one place that lists them; `engines/choice.py` says what each is."""
ENGINES: tuple[str, ...] = get_args(EngineName)
KUBERNETES_ENGINES = tuple(name for name in ENGINES if name not in ("auto", "docker"))
NAME = "invoke.yaml"
REGISTRY = re.compile(r"(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)?")
"""What Docker takes before an image's name, as `localhost:5000/team`; or nothing."""
NEEDED_TOOLS = ("docker", "helm", "kubectl", "minikube")

T = TypeVar("T", bound=BaseModel)
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")]
ReleaseName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,34}[a-z0-9])?$")]
"""36 characters at most, so that a Service's name, RELEASE-SERVICE, fits into the 63 that DNS allows."""
RepoPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=200)]
Seconds = Annotated[int, Field(ge=10, le=86_400)]


class Database(Source):
    """The bundled Postgres."""

    secrets: tuple[str, ...] = Field(default=("POSTGRES_PASSWORD",), strict=False)
    """The keys of `.env` that it gets."""
    exporter: Source
    """Beside it where Prometheus runs: it shows the database's metrics."""


class Base(Strict):
    """A base image: the registry's, and the Debian packages that make one where no registry answers."""

    image: str
    """The image in a registry."""
    packages: tuple[str, ...] = Field(strict=False)
    """The Debian packages that make one where no registry answers."""
    runtime_packages: tuple[str, ...] = Field(default=(), strict=False)
    """When set, a second, smaller base for the last stage: build argument RUNTIME_IMAGE."""
    recipe: RepoPath | None = None
    """A folder of files to lay over the root file system of a base made from packages."""


class EnvKey(Strict):
    """One key of `.env`."""

    description: str
    """What it is for, in the words of an error that asks for it."""
    optional: bool = False
    """Whether it may be empty or missing."""
    generate: bool = False
    """Whether `up` generates a strong value where there is no `.env` yet."""
    format: Literal["text", "line", "token", "login", "postgres_url"] = "text"
    """What a value must be: anything; one line; what an HTTP header can carry; user:password; a database URL as every parser reads it."""
    overlap: bool = False
    """Whether the services take a second value, KEY_ALSO, beside it, so that it can change while they serve."""
    offer: str = ""
    """What a value would give, and where it comes from. `up` says it while there is none."""
    default: str = ""
    """What the services get where the value is empty; {KEY} stands for the URL-quoted value of another key, {release} for the release."""


class Minikube(Strict):
    """The cluster that we start. Every value is passed to Minikube explicitly."""

    driver: str
    """What the nodes run in: docker, kvm2, qemu2, …"""
    nodes: Annotated[int, Field(ge=1, le=9)] = 1
    """How many nodes; each has the processors, the memory and the disk that are said here."""
    cpus: Annotated[int, Field(ge=2)] | Literal["auto"] = "auto"
    """Processors of a node; auto: what the machine has, 4 at most, and what an existing cluster has."""
    memory_mib: Annotated[int, Field(ge=1800)] | Literal["auto"] = "auto"
    """Memory of a node, in MiB; auto: its part of three quarters of the machine's, 6144 at most, and what an existing cluster has."""
    disk_gib: Annotated[int, Field(ge=10)]
    """Disk of a node, in GiB, where the driver makes one."""
    runtime: Literal["containerd", "docker"]
    """The container runtime of the nodes."""
    cni: str
    """The network: auto takes one that enforces policies."""
    addons: tuple[str, ...] = Field(strict=False)
    """Minikube's addons to switch on."""


class KubeContext(Strict):
    """A cluster that is there already. Empty: this engine is not used."""

    context: str = ""
    """The one context that may be used, as `kubectl config get-contexts` names it. Empty: none."""
    images: Literal["auto", "kind", "k3d", "containerd", "registry"] = "auto"
    """How images reach that cluster."""
    registry: str = ""
    """The registry that this machine pushes to and the cluster pulls from, as host:port/path, for `images: registry`."""
    registry_login: str = ""
    """The key of `.env` whose value, USER:PASSWORD, the nodes log in to the registry with; where that is empty, they do not."""
    containerd_socket: str = ""
    """The socket of the node's containerd, for `images: containerd`; a pattern (`/run/*/containerd.sock`) where several nodes run here."""

    @property
    def pushes_to(self) -> str:
        """The registry through which images reach the nodes; empty: they do not come through one."""
        return self.registry if self.images in ("auto", "registry") else ""


class Chart(Strict):
    """The app's chart, and values of it that differ from its defaults."""

    path: RepoPath
    """The chart's folder."""
    timeout_seconds: Seconds
    """How long a rollout may take."""
    trust_extra_ca: bool = True
    """Whether pods trust the certificates of build.extra_ca or SSL_CERT_FILE as builds do."""
    values: dict[str, Any] = Field(default_factory=dict)
    """Values of the chart that differ from its defaults."""


class Ingress(Strict):
    """One host name for the public services, through an ingress controller."""

    host: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)?$", max_length=253)] = ""
    """The name that browsers ask for, such as app.test; empty: there is no Ingress."""
    class_name: Name = "nginx"
    """The IngressClass of the controller. Minikube's addon `ingress` brings nginx, and is switched on for it."""


class PinnedChart(Strict):
    """Somebody else's chart in one version, and our values for it."""

    chart_version: str
    """Its version."""
    chart_repository: str
    """The URL of its repository."""
    chart_sha256: str = ""
    """The SHA-256 of its archive, as the repository's own index has it (its `digest`)."""
    values: RepoPath
    """The file of our values."""


class Adapter(PinnedChart):
    """prometheus-adapter, which shows a metric of Prometheus to the autoscalers."""

    requests_in_flight: Annotated[int, Field(ge=0)]
    """Requests under way in a pod, above which pods are added; 0: not installed."""


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


class Monitoring(PinnedChart):
    """kube-prometheus-stack beside the app."""

    enabled: bool
    """Whether it is installed, where the engine has a Kubernetes."""
    namespace: Name
    """The namespace that it is installed in."""
    release: Name
    """The name of its Helm release."""
    rules: tuple[AnyPath, ...] = Field(default=(), strict=False)
    """Files of the app's own alert rules, from the repository's root."""
    dashboard_rows: tuple[AnyPath, ...] = Field(default=(), strict=False)
    """Files of rows that the app's dashboard has beside those that hold for any app, from the repository's root."""
    slow_handlers: Annotated[str, Field(pattern=r'^[^"\\]*$'), AfterValidator(_expression)] = ""
    """A regular expression of the `handler`s that are slow by nature, such as "/api/report.*": neither an alert nor `diagnose` minds."""
    adapter: Adapter
    """Autoscaling by requests under way, beside CPU."""

    @property
    def adapter_release(self) -> str:
        """The name of prometheus-adapter's Helm release."""
        return f"{self.release}-adapter"


class Build(Strict):
    """How images are built."""

    base_source: Literal["auto", "registry", "packages"] = "auto"
    """Where base images come from; auto: the registry, and packages where it does not answer."""
    extra_ca: Annotated[str, Field(pattern=r"^(~/|[^~]|$)")] = ""
    """A PEM file for builds behind a gateway that re-signs TLS; empty: the one that SSL_CERT_FILE names, if any."""
    timeout_seconds: Seconds = 1800
    """How long one build may take."""


class Needs(Strict):
    """What `up` needs of this machine, checked before it starts."""

    free_disk_gib: Annotated[float, Field(ge=0)]
    """Free space of every file system that is written to, in GiB."""
    free_memory_mib: Annotated[int, Field(ge=0)]
    """Memory that is available, in MiB."""


class Settings(Strict):
    """The whole of `invoke.yaml`: all configuration that is no secret."""

    project: Name
    """The project's name: the first part of the images' names."""
    engine: EngineName
    """Where the app runs; auto takes the first usable one, and says why."""
    namespace: Name
    """The namespace that the app is installed in."""
    release: ReleaseName
    """The name of the app's Helm release."""
    kubernetes_version: Annotated[str, Field(pattern=r"^v1\.\d+\.\d+$")]
    """The version of the Kubernetes that we start."""
    services: dict[ServiceName, Service] = Field(min_length=1)
    """The services of the app, by name. Nothing in the tool knows these names."""
    smoke: AnyPath | None = None
    """A Python file of the app, whose `prove(ask)` proves one real use of it. Without one, health, readiness and pages are asked."""
    database: Database | None = None
    """The bundled Postgres, for a key of `env` that is a database URL, is empty and has a default. Left out: there is none."""
    base_images: dict[Name, Base]
    """Base images, by the name that `base` refers to."""
    env: dict[KeyName, EnvKey]
    """The keys of `.env`."""
    build: Build
    """How images are built."""
    chart: Chart
    """The app's chart."""
    minikube: Minikube
    """The cluster that the minikube engine starts."""
    kube_context: KubeContext
    """The cluster that the kube_context engine uses."""
    ingress: Ingress = Ingress()
    """One host name for the public services, through an ingress controller."""
    monitoring: Monitoring
    """Prometheus, Grafana and their friends, beside the app."""
    needs: Needs
    """What `up` needs of this machine."""
    tools: dict[str, Tool]
    """The programs that engines need."""
    ask: Ask = Field(default_factory=Ask)
    """Whom `invoke ask` asks."""
    kagent: Kagent = Field(default_factory=Kagent)
    """kagent, where `invoke kagent.up` brings it."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Settings:
        problems = [*_service_problems(self.services, self.services, self.env, self.base_images, self.database), *self._rest_problems()]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def addons(self) -> tuple[str, ...]:
        """Minikube's addons that are wanted, with what the Ingress needs."""
        needed = ("ingress",) if self.ingress.host and self.ingress.class_name == "nginx" else ()
        return tuple(dict.fromkeys((*self.minikube.addons, *needed)))

    def _rest_problems(self) -> Iterator[str]:
        if self.database:
            for where, source in (("database", self.database), ("database.exporter", self.database.exporter)):
                yield from source_problems(where, source, self.base_images)
            yield from (f"database.secrets: `{k}` is not under env{meant(k, self.env)}" for k in self.database.secrets if k not in self.env)
        yield from self._env_problems()
        yield from self._cluster_problems()
        yield from (f"tools.{name}: is missing" for name in NEEDED_TOOLS if name not in self.tools)
        recipes = [(f"base_images.{name}.recipe", base.recipe) for name, base in self.base_images.items() if base.recipe]
        values = [("monitoring.values", self.monitoring.values), ("monitoring.adapter.values", self.monitoring.adapter.values)]
        for where, path in [*recipes, ("chart.path", self.chart.path), *values]:
            if not os.path.exists(ROOT / path):  # noqa: PTH110 - Path.exists raises on a name that is too long
                yield f"{where}: {path} does not exist"
        for key in ("rules", "dashboard_rows"):
            missing = [path for path in getattr(self.monitoring, key) if not os.path.isfile(local_path(path))]  # noqa: PTH113 - as above
            yield from (f"monitoring.{key}: {path} does not exist" for path in missing)
        if self.smoke and not os.path.isfile(local_path(self.smoke)):  # noqa: PTH113 - as above
            yield f"smoke: {self.smoke} does not exist"

    def _cluster_problems(self) -> Iterator[str]:
        if self.namespace == "default" or self.namespace.startswith("kube-"):
            yield f"namespace: `{self.namespace}` is Kubernetes' own, and this app's namespace holds nothing else: choose another name"
        if self.minikube.nodes > 1 and self.minikube.cni in ("bridge", "false"):
            yield f"minikube.cni: `{self.minikube.cni}` lets no pod reach another node's: write auto, or a network of several nodes"
        if self.ingress.host:
            yield from ingress_problems(self.services)
        if re.fullmatch(r"[0-9.]+", self.ingress.host):
            yield "ingress.host: is an address, and Kubernetes takes a name alone, such as app.test"
        login = self.kube_context.registry_login
        if login and login not in self.env and self.kube_context.registry:
            yield f"kube_context.registry_login: `{login}` is not under env{meant(login, self.env)}"
        if not REGISTRY.fullmatch(self.kube_context.registry):
            yield "kube_context.registry: write host:port/path, without https:// and a slash at its end, the path in small letters"
        if self.kube_context.images == "registry" and not self.kube_context.registry:
            yield "kube_context.registry: name the registry, as host/path, or leave out `images: registry`"

    def _env_problems(self) -> Iterator[str]:
        for key, rule in self.env.items():
            for name in re.findall(r"\{(\w+)\}", rule.default):
                if name not in self.env and name != "release":
                    yield f"env.{key}.default: `{name}` is not under env{meant(name, self.env)}"
            if variable_in(rule.default):
                yield f"env.{key}.default: nothing fills a variable of a shell in; another key's value is written {{KEY}}"
            if rule.overlap and f"{key}_ALSO" in self.env:
                yield f"env.{key}_ALSO: the name is taken by the second value of {key}, which has overlap"
            if rule.format == "postgres_url":
                yield from (f"env.{key}{problem}" for problem in _wrong_database(rule, bundled=self.database is not None))


def _service_problems(
    services: Mapping[str, Service], names: Collection[str], env: Mapping[str, EnvKey], bases: Collection[str], database: object
) -> Iterator[str]:
    return service_problems(services, names, {key: rule.format for key, rule in env.items()}, bases, database=database is not None)


def _valid(raw: Any, model: type[T]) -> dict[str, T]:
    """Return those of a map's entries that are valid by themselves."""
    found = {}
    for name, value in raw.items() if isinstance(raw, Mapping) else ():
        with contextlib.suppress(ValidationError):
            found[str(name)] = model.model_validate(value)
    return found


def _also(raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of the services that can be read where something else cannot, so that all are told at once."""
    services, names = _valid(raw.get("services"), Service), raw.get("services")
    if isinstance(names, Mapping):
        yield from _service_problems(services, names, _valid(raw.get("env"), EnvKey), raw.get("base_images") or (), raw.get("database"))


def _wrong_database(rule: EnvKey, *, bundled: bool) -> Iterator[str]:
    if rule.default and not bundled:
        yield ".default: it is for the bundled Postgres, and there is no `database`"
    if rule.generate:
        yield ": a database URL cannot be generated; leave out generate"
    try:
        if rule.default:
            database_url.parse(re.sub(r"\{\w+\}", "x", rule.default))
    except DatabaseUrlError as error:
        yield f".default {error}"


def parse_settings(text: str, engine: str | None = None) -> Settings:
    """Return the settings in `text`; `engine` overrides the one named there.

    Raises InputError that names every problem with its place.
    """
    if engine is not None and engine not in ENGINES:
        raise InputError(
            f"--engine: there is no engine `{engine}`{meant(engine, ENGINES)}", f"it is one of: {', '.join(ENGINES)}", code="engine-unknown"
        )
    raw = yaml_text.load(text, NAME)
    if engine is not None:
        raw["engine"] = engine
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        found = problems_of(error, Settings)
        if any(item["loc"] for item in error.errors()):  # then the checks of what fits together have not run
            found += [problem for problem in _also(raw) if problem not in found]
        raise all_problems(NAME, found, f"fix {NAME}. Nothing was changed", code="settings-invalid") from None


def read_text() -> str:
    """Return the text of `invoke.yaml`. Raises InputError."""
    missing = InputError(
        "invoke.yaml cannot be read: No such file or directory", "run invoke from a full checkout", code="settings-unreadable"
    )
    return text_file.read_text(ROOT / "invoke.yaml", missing)


@lru_cache
def load_settings(engine: str | None = None) -> Settings:
    """Return the settings of this checkout. Raises InputError."""
    return parse_settings(read_text(), engine=engine)

"""What a command works on: the settings, `.env` and the engine of this checkout, and what follows from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from scripts.config import env_file, env_generation
from scripts.config.env_file import EnvFile
from scripts.config.services import Source
from scripts.config.settings import KUBERNETES_ENGINES, Settings, load_settings
from scripts.core.errors import InputError, TaskError
from scripts.core.paths import ROOT
from scripts.desired import images, secrets
from scripts.desired.dev_values import dev_release
from scripts.desired.helm_release import HelmRelease, app_release
from scripts.desired.images import Image, desired_image
from scripts.desired.kept import on_the_way
from scripts.desired.secrets import Secret
from scripts.desired.stages import Stage, stages
from scripts.engines.choice import choose
from scripts.engines.installed import is_installed, what_installs
from scripts.engines.protocol import Engine
from scripts.images import bases
from scripts.images.built import Built
from scripts.images.users import supposed_users, user_of
from scripts.kubernetes.deployment import Deployment
from scripts.machine.certificates import bundle, extra_ca
from scripts.machine.docker_client import build_platform

ENV = ROOT / ".env"
ENV_EXAMPLE = ROOT / ".env.example"
SERVICE_MONITORS = "servicemonitors.monitoring.coreos.com"


T = TypeVar("T")


class once(Generic[T]):  # noqa: N801 - used as `property` is
    """A property that is read once, whichever threads need it: functools.cached_property has no lock from Python 3.12 on."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read, self.__doc__ = read, read.__doc__

    def __get__(self, project: Project | None, _owner: type) -> T:
        """Return what was read; from then on it lies in the project itself, and nobody asks this any more."""
        if project is None:
            return self  # type: ignore[return-value] # asked of the class
        with project.lock:
            known: dict[str, T] = vars(project)
            if self._read.__name__ not in known:
                known[self._read.__name__] = self._read(project)
            return known[self._read.__name__]


class Project:
    """The project as this checkout has it. Each part is read when it is first needed, and once, whichever thread needs it."""

    def __init__(self, engine: str | None = None, *, monitoring: bool = True, in_dev: Mapping[str, Image] | None = None) -> None:
        """Take the settings, with the engine overridden by `engine` if given, and monitoring off if not wanted. Raises InputError.

        in_dev: in the development profile of `invoke dev`; the images that services keep, whatever their sources say.
        """
        settings = load_settings(engine)
        if not monitoring:
            settings = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"enabled": False})})
        self.settings: Settings = settings
        self.lock = threading.RLock()
        self._in_dev = in_dev
        self._why = ""
        self._images: list[Image] | None = None
        self._read_users: dict[str, tuple[int, int]] = {}  # by reference: a tag never holds other content than it says
        self.built = Built()
        """The images of this run, as the builds end."""

    def again(self, in_dev: Mapping[str, Image] | None = None) -> Project:
        """Return the same project on the same engine, for the same reason, as it is now: what was read of it counts no more.

        in_dev: as above.
        """
        project = Project(self.engine.name, monitoring=self.settings.monitoring.enabled, in_dev=in_dev)
        project._why = self.reason
        return project

    def freeze(self) -> None:
        """Read what several steps share before they run in threads. Raises InputError, MissingError."""
        _ = self.secrets, self.sources

    @once
    def env(self) -> EnvFile:
        """The checked `.env`. Raises InputError with all its problems."""
        return env_file.read(ENV, self.settings.env)

    @once
    def secrets(self) -> list[Secret]:
        """The Secrets that the app needs."""
        return [*secrets.desired_secrets(self.settings, self.env), *self._pull_secrets]

    @once
    def _pull_secrets(self) -> tuple[Secret, ...]:
        """What nodes log in to a registry with, in a cluster whose images come through one."""
        found = secrets.pull_secret(self.settings, self.env)
        return (found,) if found and self.engine.name == "kube_context" else ()

    @once
    def sources(self) -> dict[str, Source]:
        """What the project's images are made of, by name."""
        return images.sources(self.settings, self.env, monitored=self.monitored)

    @property
    def images(self) -> list[Image]:
        """The images of the sources as they were when first asked for. Raises TaskError where a base image is not there yet."""
        with self.lock:
            if self._images is None:
                self._images = self._desired_images(bases.Known(self.settings))
            return self._images

    def refresh_images(self, known: bases.Known | None = None) -> list[Image]:
        """Return the images of the sources as they are now, and take them from now on.

        known: what the caller has just asked the engine for.
        """
        with self.lock:
            self._images = self._desired_images(known or bases.Known(self.settings))
            return self._images

    def _desired_images(self, known: bases.Known) -> list[Image]:
        found, platform = [], build_platform(self.engine.platform())
        for name, source in self.sources.items():
            if self._in_dev and name in self._in_dev:
                found.append(self._in_dev[name])
                continue
            base = bases.find(self.settings, source, known)
            if base is None:
                raise TaskError(f"the base image of {name} is missing", "invoke build", code="base-image-missing")
            found.append(desired_image(self.settings, name, source, base, platform))
        return found

    def users(self) -> dict[str, tuple[int, int]]:
        """Return the user and group of every image, as the settings or else the built image says. Raises TaskError for root."""
        own = self._own_users()
        built = [image for image in self.images if image.service not in own]
        self._read_users |= {image.reference: user_of(image) for image in built if image.reference not in self._read_users}
        return own | {image.service: self._read_users[image.reference] for image in built}

    def _own_users(self) -> dict[str, tuple[int, int]]:
        """Return the user and group of each service that the settings name."""
        return {name: service.user for name, service in self.settings.services.items() if service.user}

    def _supposed_users(self) -> dict[str, tuple[int, int]]:
        """As `users`, but of images that a plan has not built, as far as it is known."""
        own = self._own_users()
        rest = [image for image in self.images if image.service not in own]
        read = {image.service: self._read_users[image.reference] for image in rest if image.reference in self._read_users}
        return supposed_users([image for image in rest if image.service not in read]) | read | own

    @once
    def stages(self) -> list[Stage]:
        """The releases to roll out in turn, from what runs when this is first asked to the one of the sources. Raises TaskError."""
        found = stages(self.settings, self.env, self.engine.running(self.secrets))
        return [replace(stage, secrets=(*stage.secrets, *self._pull_secrets)) for stage in found]

    def release(self, stage: Stage | None = None) -> HelmRelease:
        """Return the app's release, or what it is in a stage on the way there. Raises TaskError.

        It has ServiceMonitors where the project is monitored and the cluster knows them.
        """
        monitoring = self.monitored and self.cluster_deployment().cluster.knows(SERVICE_MONITORS)
        trusted, users = self._trusted_ca(), self._supposed_users()
        wanted = app_release(
            self.settings, self.images, stage.secrets if stage else self.secrets, monitoring=monitoring, users=users, trusted_ca=trusted
        )
        if self._in_dev is not None:
            wanted = dev_release(self.settings, wanted)
        return wanted if stage is None or stage.last else on_the_way(wanted, stage.keeps)

    def _trusted_ca(self) -> str:
        """What the pods trust, where there is a gateway that re-signs TLS. Raises InputError."""
        extra = extra_ca(self.settings.build.extra_ca) if self.settings.chart.trust_extra_ca else b""
        return bundle(extra) if extra else ""

    @property
    def engine(self) -> Engine:
        """The engine that the app runs in. Raises MissingError when none can work."""
        return self._choice[0]

    @property
    def reason(self) -> str:
        """Why it is this engine."""
        return self._choice[1]

    @once
    def _choice(self) -> tuple[Engine, str]:
        engine, why = choose(self.settings)
        return engine, self._why or why

    @property
    def monitored(self) -> bool:
        """Whether Prometheus runs beside the app: it is wanted, and the engine has a Kubernetes."""
        return self.settings.monitoring.enabled and self.engine.deployment is not None

    def why_not_monitored(self) -> str:
        """Return why there will be no monitoring, or an empty string."""
        if not self.settings.monitoring.enabled:
            return "it is switched off, by --no-monitoring or monitoring.enabled in invoke.yaml"
        return "" if self.monitored else f"the {self.engine.name} engine has no Kubernetes to watch"

    def require_installed(self) -> None:
        """Raise TaskError where the app is not installed, MissingError where what it runs on does not answer, so that nobody knows."""
        if not is_installed(self.engine):
            raise TaskError(f"{self.settings.release} is not installed", what_installs(), code="not-installed")

    def cluster_deployment(self) -> Deployment:
        """Return the app's release in its cluster. Raises InputError in an engine without Kubernetes."""
        if self.engine.deployment is None:
            raise InputError(
                f"the {self.engine.name} engine has no Kubernetes",
                f"use --engine {' or --engine '.join(KUBERNETES_ENGINES)}",
                code="unsupported-by-engine",
            )
        return self.engine.deployment

    def monitoring_deployment(self) -> Deployment:
        """Return kube-prometheus-stack's release in the app's cluster. Raises InputError in an engine without Kubernetes."""
        return self.cluster_deployment().beside(self.settings.monitoring.namespace, self.settings.monitoring.release)

    def adapter_deployment(self) -> Deployment:
        """Return prometheus-adapter's release, in the same namespace. Raises InputError as above."""
        return self.cluster_deployment().beside(self.settings.monitoring.namespace, self.settings.monitoring.adapter_release)

    def create_env(self) -> list[str]:
        """Make a `.env` where there is none, and generate what one lacks; return the keys that were generated. Raises InputError."""
        keys = self.settings.env
        return env_generation.complete(ENV, keys) if ENV.exists() else env_generation.create(ENV, ENV_EXAMPLE, keys)

    def suppose_env(self) -> None:
        """Take the `.env` that `create_env` would make or complete, and write nothing. Raises InputError."""
        if supposed := env_generation.supposed(ENV, ENV_EXAMPLE, self.settings.env):
            vars(self)["env"] = supposed

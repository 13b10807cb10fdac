"""What a step works on: the settings, the secrets and the engine of this checkout."""

from __future__ import annotations

from functools import cached_property

from scripts.core import env_file, images, secrets
from scripts.core.env_file import EnvFile
from scripts.core.images import Image
from scripts.core.secrets import Secret
from scripts.core.settings import ROOT, Settings, Source, load_settings
from scripts.engines import choose
from scripts.engines.kubernetes import KubernetesEngine
from scripts.engines.protocol import Engine

ENV = ROOT / ".env"
ENV_EXAMPLE = ROOT / ".env.example"


class Project:
    """The project as this checkout has it. Each part is read when it is first needed, and once."""

    def __init__(self, engine: str | None = None, *, monitoring: bool = True) -> None:
        """Take the settings, with the engine overridden by `engine` if given, and monitoring off if not wanted. Raises InputError."""
        settings = load_settings(engine)
        if not monitoring:
            settings = settings.model_copy(update={"monitoring": settings.monitoring.model_copy(update={"enabled": False})})
        self.settings: Settings = settings

    @cached_property
    def env(self) -> EnvFile:
        """The checked `.env`. Raises InputError with all its problems."""
        return env_file.read(ENV, self.settings.env)

    @property
    def monitored(self) -> bool:
        """Whether Prometheus runs beside the app: it is wanted, and the engine has a Kubernetes."""
        return self.settings.monitoring.enabled and isinstance(self.engine, KubernetesEngine)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """What the project's images are made of, by name."""
        return images.sources(self.settings, self.env, monitored=self.monitored)

    @cached_property
    def images(self) -> list[Image]:
        """The images of the sources as they are when first asked for; the base images must be there. Raises TaskError."""
        return images.planned(self.settings, self.sources)

    @cached_property
    def secrets(self) -> list[Secret]:
        """The Secrets that the app needs."""
        return secrets.planned(self.settings, self.env)

    @cached_property
    def _choice(self) -> tuple[Engine, str]:
        return choose(self.settings)

    @property
    def engine(self) -> Engine:
        """The engine that the app runs in. Raises MissingError when none can work."""
        return self._choice[0]

    @property
    def reason(self) -> str:
        """Why it is this engine."""
        return self._choice[1]

    def create_env(self) -> list[str]:
        """Make a `.env` with invented passwords where there is none; return the keys that were invented."""
        return [] if ENV.exists() else env_file.create(ENV, ENV_EXAMPLE, self.settings.env)

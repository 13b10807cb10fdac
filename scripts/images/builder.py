"""What builds images here: BuildKit, where Docker's client has its plugin or `setup` has brought it, else Docker's classic builder."""

from __future__ import annotations

from scripts.config.services import Source, shown
from scripts.config.settings import Settings
from scripts.core import shell
from scripts.core.errors import MissingError
from scripts.desired.images import built_on

BUILDX = "docker-buildx"
AS_PLUGIN = ("docker", "buildx")
ASK_SECONDS = 20


def buildx() -> tuple[str, ...]:
    """Return the words that start buildx: those of Docker's client, or the program itself; nothing where there is neither."""
    if shell.run([*AS_PLUGIN, "version"], timeout=ASK_SECONDS, ok=None).code == 0:
        return AS_PLUGIN
    try:
        shell.which(BUILDX)
    except MissingError:
        return ()
    return (BUILDX,)


def needing_buildkit(settings: Settings) -> list[str]:
    """Return a line for each Dockerfile that only BuildKit can read, with the reason.

    Raises InputError for a Dockerfile that cannot be read.
    """
    sources: list[Source] = [*settings.services.values(), *([settings.database] if settings.database else [])]
    reasons = ((source, built_on(settings, source).buildkit) for source in sources)
    return [f"{shown(source.file())} needs BuildKit, for {reason}" for source, reason in reasons if reason]

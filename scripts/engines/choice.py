"""Which engine the app runs in: the one that the settings name, or the first usable one."""

from __future__ import annotations

from collections.abc import Callable

from scripts.config.settings import Settings
from scripts.core.errors import MissingError
from scripts.engines.protocol import Engine

NAMED = "as --engine or invoke.yaml says"


def choose(settings: Settings) -> tuple[Engine, str]:
    """Return the engine that the settings name and why, changing nothing.

    `auto` keeps the engine that the app already runs on; else it takes a context that the settings name, else Minikube where it can
    start, else Docker. Raises MissingError when none can work, with the reason of each.
    """
    known = makers(settings)
    if settings.engine != "auto":
        return known[settings.engine](), NAMED
    engines = [make() for make in known.values()]
    for engine in engines:
        if engine.deployed():
            return engine, "the app is installed there"
    unnamed = "" if settings.kube_context.context else "kube_context"  # nobody has asked for one
    reasons: dict[str, str] = {}
    for engine in engines:
        reason = engine.unusable()
        if not reason:
            return engine, "; ".join(reasons[name] for name in reasons if name != unnamed) or "the first usable one"
        reasons[engine.name] = f"{engine.name}: {reason}"
    raise MissingError(
        "no engine can work on this machine",
        "fix one of them, or let `invoke setup` install what is missing",
        list(reasons.values()),
        code="no-engine",
    )


def makers(settings: Settings) -> dict[str, Callable[[], Engine]]:
    """Return what makes each engine, in the order of `auto`. One is imported when it is made."""

    def kube_context() -> Engine:
        from scripts.engines.kube_context import KubeContextEngine

        return KubeContextEngine(settings)

    def minikube() -> Engine:
        from scripts.engines.minikube.engine import MinikubeEngine

        return MinikubeEngine(settings)

    def docker() -> Engine:
        from scripts.engines.docker.engine import DockerEngine

        return DockerEngine(settings)

    return {"kube_context": kube_context, "minikube": minikube, "docker": docker}

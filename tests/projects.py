"""A project whose settings, `.env` and engine a test says."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings
from scripts.core.paths import ROOT
from scripts.engines.kubernetes import KubernetesEngine
from scripts.kubernetes.cluster import Cluster
from scripts.project import Project


def project_on(engine: Any, settings: Settings, **env: str) -> Project:
    """A project that reads nothing of this machine's: these settings, this engine, these values of `.env`."""
    project = Project()
    project.settings = settings
    project.__dict__["_choice"] = (engine, "the test says so")
    project.__dict__["env"] = EnvFile(ROOT / ".env", {key: SecretStr(value) for key, value in env.items()})
    return project


def project_in(cluster: Cluster, settings: Settings, **env: str) -> Project:
    """A project on an engine for this cluster."""
    engine = KubernetesEngine(settings, cluster)
    engine.name = "told"  # type: ignore[attr-defined]
    return project_on(engine, settings, **env)

"""The settings of `invoke ask`: whom it asks, and for how long."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scripts.core.strict import Strict

Version = Annotated[str, Field(pattern=r"^v?\d+\.\d+(\.\d+)?$")]


class Tool(Strict):
    """A tool: the accepted versions, and the one that `invoke setup` installs."""

    version: Version
    """The version that `invoke setup` brings."""
    minimum: Version
    """The oldest accepted version."""
    below: Annotated[str, Field(pattern=r"^(v?\d+\.\d+(\.\d+)?|)$")] = ""
    """The first that no longer does; empty: none is known."""


class Ask(Strict):
    """Whom `invoke ask` asks."""

    provider: Literal["gemini", "openai", "ollama"] = "gemini"
    """Whose model answers; openai: also any server that speaks its protocol."""
    model: Annotated[str, Field(pattern=r"^[\w.:/@-]+$", max_length=200)] = "gemini-2.5-flash"
    """The model's name at the provider."""
    key: Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9_]*|)$")] = "GEMINI_API_KEY"
    """The key of .env that holds the provider's key; empty: it needs none."""
    endpoint: Annotated[str, Field(pattern=r"^(https?://[^\s@]+|)$")] = ""
    """Where the provider answers; empty: its own address."""
    timeout_seconds: Annotated[int, Field(ge=10, le=1800)] = 120
    """How long an answer may take."""
    kubectl_ai: Tool = Tool(version="0.0.28", minimum="0.0.28")
    """The program that asks."""


class Kagent(Strict):
    """kagent beside the app, where `invoke kagent.up` brings it."""

    version: Annotated[str, Field(pattern=r"^0\.\d+\.\d+$")] = "0.9.12"
    """The version of its charts; 1.0 needs another Kubernetes."""
    repository: Annotated[str, Field(pattern=r"^(oci://|[~./A-Za-z0-9])\S*$")] = "oci://ghcr.io/kagent-dev/kagent/helm"
    """Where its charts are: a registry, or a folder that holds `kagent-crds` and `kagent`."""
    timeout_seconds: Annotated[int, Field(ge=10, le=3600)] = 600
    """How long its rollout may take."""

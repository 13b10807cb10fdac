"""Whose model answers: what kubectl-ai must be told for each provider."""

from __future__ import annotations

import os
from dataclasses import dataclass

from scripts.core.errors import InputError
from scripts.core.redaction import redact
from scripts.project import ENV, Project


@dataclass(frozen=True)
class Provider:
    """The environment variables by which kubectl-ai takes the key and the address of a provider."""

    key: str
    endpoint: str
    where: str
    """Where a key comes from; empty: it needs none."""


PROVIDERS = {
    "gemini": Provider("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "get one from https://aistudio.google.com/apikey"),
    "openai": Provider("OPENAI_API_KEY", "OPENAI_ENDPOINT", "get one from the provider"),
    "ollama": Provider("", "OLLAMA_HOST", ""),
}


IN_KAGENT = {"gemini": ("gemini", ""), "openai": ("openAI", "baseUrl"), "ollama": ("ollama", "host")}
"""What kagent's chart calls each, and the key of its address, where it takes one."""


def environment(project: Project) -> dict[str, str]:
    """Return the variables for the provider that the settings name. Raises InputError where its key is missing."""
    ask = project.settings.ask
    provider = PROVIDERS[ask.provider]
    found = {provider.endpoint: ask.endpoint} if ask.endpoint else {}
    if provider.key:
        found[provider.key] = _key(project, provider)
    return found


def _key(project: Project, provider: Provider) -> str:
    ask = project.settings.ask
    if not ask.key and ask.endpoint:
        return "none"  # kubectl-ai wants one; a server of one's own does not
    value = os.environ.get(ask.key, "")
    if ask.key in project.settings.env and ENV.exists():
        value = project.env.get(ask.key) or value
    if not value:
        raise InputError(
            f"{ask.key or 'ask.key in invoke.yaml'} is empty, and {ask.provider} needs a key",
            f"{provider.where}, and put it into .env; or set ask.provider to ollama, which needs none",
            code="assistant-key-missing",
        )
    redact.learn(value)
    return value

"""The alert rules as Prometheus gets them: those that hold for any app, and the app's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.config.services import local_path, shown
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT

RULES = ROOT / "monitoring" / "rules" / "app.yaml"
NEVER = "-"
"""A regular expression that no handler's name is."""


def rules(settings: Settings) -> Any:
    """Return the alert rules, ours and the app's, for the namespace, the release and the services of the settings. Raises InputError."""
    groups = [group for path in (RULES, *map(local_path, settings.monitoring.rules)) for group in _groups(path, settings)]
    return {"groups": [group for group in groups if group["rules"]]}


def _groups(path: Path, settings: Settings) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8").replace('namespace="todo-chatbot"', f'namespace="{settings.namespace}"')
        text = text.replace('job="todo-chatbot-', f'job="{settings.release}-').replace("SLOW", settings.monitoring.slow_handlers or NEVER)
        return [_for_services(group, settings) for group in yaml.safe_load(text)["groups"]]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f"{shown(path)} holds no alert rules: {error}", "fix it, or monitoring.rules in invoke.yaml", code="values-invalid"
        ) from None


def _for_services(group: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Write an expression that names SERVICE once for each service that has metrics; without one there is no such rule."""
    measured = [name for name, service in settings.services.items() if service.metrics]

    def each(expr: str) -> str:
        return "\nor ".join(expr.replace("SERVICE", name).strip() for name in measured) if "SERVICE" in expr else expr

    made = [{**rule, "expr": each(rule["expr"])} for rule in group["rules"]]
    return {**group, "rules": [rule for rule in made if rule["expr"]]}


def alerts(settings: Settings) -> dict[str, str]:
    """Return the expression of each alert by its name. Raises InputError."""
    return {rule["alert"]: rule["expr"] for group in rules(settings)["groups"] for rule in group["rules"]}

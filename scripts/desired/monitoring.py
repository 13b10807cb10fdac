"""The release of kube-prometheus-stack: its values as the tool sets them, and what the tool applies beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.config.env_file import EnvFile
from scripts.config.services import local_path, shown
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.core.redaction import redact
from scripts.desired import dashboards
from scripts.desired.helm_release import HelmRelease
from scripts.desired.secrets import Secret

CHART, ADAPTER_CHART = "kube-prometheus-stack", "prometheus-adapter"
RULES = ROOT / "monitoring" / "rules" / "todo-chatbot.yaml"
DASHBOARDS_NAME = "todo-chatbot-dashboards"
PASSWORD_KEY = "GRAFANA_ADMIN_PASSWORD"  # noqa: S105 - the name of the key in .env
HEX_DIGITS = 10


def admin_secret(env: EnvFile) -> Secret:
    """Return Grafana's Secret. Its name carries a hash of its content, so that a new password restarts Grafana."""
    password = env.get(PASSWORD_KEY)
    redact.learn(password)
    digest = hashlib.sha256(password.encode()).hexdigest()[:HEX_DIGITS]
    return Secret("grafana", f"grafana-admin-{digest}", {"admin-user": "admin", "admin-password": password})


def grafana_is_off(settings: Settings) -> str:
    """Return where the values switch Grafana off, or an empty string: it is on unless they say otherwise."""
    grafana = _values(settings).get("grafana") or {}
    return "" if grafana.get("enabled", True) else f"Grafana is off: grafana.enabled in {settings.monitoring.values}"


def stack_release(settings: Settings, chart: Path, secret: Secret | None) -> HelmRelease:
    """Return the release: the values file, with the alert rules put in, and the name of Grafana's Secret where there is one."""
    values = _values(settings)
    if secret:
        values["grafana"] = {**(values.get("grafana") or {}), "admin": {"existingSecret": secret.name}}
    values["prometheusOperator"] = {"namespaces": _watched(settings), **(values.get("prometheusOperator") or {})}
    values["additionalPrometheusRulesMap"] = {settings.release: rules(settings)}
    return HelmRelease(settings.monitoring.release, settings.monitoring.namespace, chart, values)


def _watched(settings: Settings) -> dict[str, Any]:
    """The namespaces of our operator: its own and the app's. It would else reconcile what is of another one in the cluster."""
    return {"releaseNamespace": True, "additional": [settings.namespace]}


def object_name(settings: Settings, part: str) -> str:
    """Return the name that a part (`prometheus`, `grafana`, `operator`, `kubelet`) has as a Service and as an object, whatever the release.

    >>> object_name(settings, "grafana")
    'monitoring-grafana'
    """
    return f"{_values(settings)['fullnameOverride']}-{part}"


def _values(settings: Settings) -> dict[str, Any]:
    """Return the values file. Raises InputError when it cannot be read or is not a mapping."""
    path = ROOT / settings.monitoring.values
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"{settings.monitoring.values} cannot be read: {error}", "fix it, or monitoring.values in invoke.yaml", code="values-invalid"
        ) from None
    if not isinstance(values, dict):
        raise InputError(
            f"{settings.monitoring.values} is not a mapping of Helm values",
            "fix it, or monitoring.values in invoke.yaml",
            code="values-invalid",
        )
    return {"fullnameOverride": settings.monitoring.release, **values}


def rules(settings: Settings) -> Any:
    """Return the alert rules, ours and the app's, for the namespace, the release and the services of the settings. Raises InputError."""
    groups = [group for path in (RULES, *map(local_path, settings.monitoring.rules)) for group in _groups(path, settings)]
    return {"groups": [group for group in groups if group["rules"]]}


def _groups(path: Path, settings: Settings) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8").replace('namespace="todo-chatbot"', f'namespace="{settings.namespace}"')
        text = text.replace('job="todo-chatbot-', f'job="{settings.release}-').replace("SLOW", settings.monitoring.slow_handlers or "-")
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


def adapter_release(settings: Settings) -> str:
    """Return the name of the release of prometheus-adapter."""
    return f"{settings.monitoring.release}-adapter"


def adapter_chart_release(settings: Settings, chart: Path) -> HelmRelease:
    """Return the release of prometheus-adapter: its values file as it is."""
    values = yaml.safe_load((ROOT / settings.monitoring.adapter.values).read_text(encoding="utf-8"))
    return HelmRelease(adapter_release(settings), settings.monitoring.namespace, chart, values)


def dashboards_manifest(namespace: str, labels: Mapping[str, str]) -> str:
    """Return the ConfigMap with the dashboards, as JSON for the standard input of `kubectl`."""
    metadata = {"name": DASHBOARDS_NAME, "namespace": namespace, "labels": dict(labels)}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dashboards.rendered()})

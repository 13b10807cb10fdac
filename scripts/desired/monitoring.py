"""The release of kube-prometheus-stack: its values as the tool sets them, and what the tool applies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.hashes import NAME, short_hash
from scripts.core.paths import ROOT
from scripts.core.redaction import redact
from scripts.desired import alert_rules, dashboards
from scripts.desired.helm_release import HelmRelease
from scripts.desired.secrets import Secret

CHART, ADAPTER_CHART = "kube-prometheus-stack", "prometheus-adapter"
DASHBOARDS_NAME = "todo-chatbot-dashboards"
PASSWORD_KEY = "GRAFANA_ADMIN_PASSWORD"  # noqa: S105 - the name of the key in .env


def admin_secret(env: EnvFile) -> Secret:
    """Return Grafana's Secret. Its name carries a hash of its content, so that a new password restarts Grafana."""
    password = env.get(PASSWORD_KEY)
    redact.learn(password)
    return Secret("grafana", f"grafana-admin-{short_hash(password, NAME)}", {"admin-user": "admin", "admin-password": password})


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
    values["additionalPrometheusRulesMap"] = {settings.release: alert_rules.rules(settings)}
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
    return {"fullnameOverride": settings.monitoring.release, **_read(settings.monitoring.values, "monitoring.values")}


def _read(name: str, setting: str) -> dict[str, Any]:
    """Return a file of values. Raises InputError when it cannot be read or is not a mapping."""
    action = f"fix it, or {setting} in invoke.yaml"
    try:
        values = yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{name} cannot be read: {error}", action, code="values-invalid") from None
    if not isinstance(values, dict):
        raise InputError(f"{name} is not a mapping of Helm values", action, code="values-invalid")
    return values


def adapter_chart_release(settings: Settings, chart: Path) -> HelmRelease:
    """Return the release of prometheus-adapter: its values file as it is. Raises InputError."""
    values = _read(settings.monitoring.adapter.values, "monitoring.adapter.values")
    return HelmRelease(settings.monitoring.adapter_release, settings.monitoring.namespace, chart, values)


def dashboards_manifest(settings: Settings, labels: Mapping[str, str]) -> str:
    """Return the ConfigMap with the dashboards, as JSON for the standard input of `kubectl`. Raises InputError."""
    metadata = {"name": DASHBOARDS_NAME, "namespace": settings.monitoring.namespace, "labels": dict(labels)}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dashboards.rendered(settings)})

"""What the dashboards show, before it is made Grafana's: the files of `monitoring/dashboards` for one app, with the app's own rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from scripts.config.services import local_path, shown
from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.desired.alert_rules import NEVER, alerts

FOLDER = ROOT / "monitoring" / "dashboards"
LONGEST_UID = 40 - len("-cluster")
"""Characters; Grafana takes no uid above 40."""

Json = dict[str, Any]


def sources(settings: Settings) -> dict[str, Json]:
    """Return the dashboards of the settings' app by the name of their file without its ending. Raises InputError."""
    names = _names(settings)
    app, cluster = (_read(FOLDER / f"{name}.yaml", names) for name in ("app", "cluster"))
    for path in map(local_path, settings.monitoring.dashboard_rows):
        more = _read(path, names)
        app["rows"] += more["rows"]
        app["annotations"] = [*app.get("annotations", []), *more.get("annotations", [])]
    app["rows"] = _needed(app["rows"], settings)
    return {"app": app, "cluster": cluster}


def _names(settings: Settings) -> dict[str, str]:
    return {
        "ALERT_NAMES": "|".join(sorted(alerts(settings))),
        "NAMESPACE": settings.namespace,
        "RELEASE": settings.release[:LONGEST_UID],
        "TITLE": settings.release.replace("-", " ").title(),
        "SLOW": settings.monitoring.slow_handlers or NEVER,
    }


def _read(path: Path, names: dict[str, str]) -> Json:
    try:
        text = path.read_text(encoding="utf-8")
        for word, value in names.items():
            text = text.replace(word, value)
        source: Json = yaml.safe_load(text)
        if not isinstance(source["rows"], list):
            raise TypeError("`rows` is not a list")
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputError(
            f"{shown(path)} holds no rows of a dashboard: {error}",
            "fix it, or monitoring.dashboard_rows in invoke.yaml",
            code="values-invalid",
        ) from None
    return source


def _needed(rows: list[Json], settings: Settings) -> list[Json]:
    """The rows and panels of which the app has what they show."""
    there = {
        None: True,
        "database": settings.database is not None,
        "autoscaling": any(service.is_autoscaled for service in settings.services.values()),
    }
    kept = [row for row in rows if there[row.get("needs")]]
    return [{**row, "panels": [panel for panel in row["panels"] if there[panel.get("needs")]]} for row in kept]

"""Grafana dashboards: what `dashboard_sources` reads, which people edit, rendered to the JSON that Grafana reads.

A YAML file holds what differs between panels: title, description, queries, unit, thresholds. What all panels share (data source,
legend, tooltip, position) is here. Panels flow from left to right and wrap at Grafana's 24 columns. `specs/monitoring.md`
says what is on the dashboards and why.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

from scripts.config.settings import Settings
from scripts.core.errors import InputError
from scripts.desired.dashboard_sources import sources

COLUMNS = 24
SCHEMA_VERSION = 39  # what the pinned chart's own dashboards carry; Grafana migrates it upward on load
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DATASOURCE_VARIABLE = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "current": {"text": "Prometheus", "value": "prometheus"},
}
LINK = {"type": "dashboards", "title": "Dashboards", "icon": "external link", "tooltip": "", "asDropdown": False, "includeVars": False}
LEAST_TOP = {"percentunit": 0.1, "ops": 1, "reqps": 1, "short": 1}
"""How far the axis of a graph that starts at 0 reaches at least, by unit: Grafana draws zeros alone on one up to 100, which is 10000 %."""
LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}

Json = dict[str, Any]


def rendered(settings: Settings) -> dict[str, str]:
    """Return the text of each dashboard, by the name of the file that Grafana gets. Raises InputError."""
    try:
        made = {name: render_dashboard(source, settings.release) for name, source in sources(settings).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"a panel of {', '.join(map(str, settings.monitoring.dashboard_rows))} cannot be rendered: {error!r}",
            "compare it with monitoring/dashboards/app.yaml",
            code="values-invalid",
        ) from None
    return {f"{name}.json": json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n" for name, dashboard in made.items()}


def render_dashboard(source: Json, release: str) -> Json:
    """A dashboard of Grafana's classic model, ready to be provisioned from a file.

    `id` is null because Grafana numbers dashboards itself; `uid` is what links and our checks use.
    """
    return {
        "id": None,
        "uid": source["uid"],
        "title": source["title"],
        "description": _one_line(source),
        "tags": source["tags"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,  # one crosshair over all graphs
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [{**LINK, "tags": source["tags"], "keepTime": True, "targetBlank": False}],
        "annotations": {"list": [_annotation(entry) for entry in source.get("annotations", [])]},
        "templating": {"list": [DATASOURCE_VARIABLE, *(_variable(entry) for entry in source.get("variables", []))]},
        "panels": _rows(source["rows"], release),
    }


def _one_line(source: Json) -> str:
    return " ".join(source["description"].split())


def _annotation(entry: Json) -> Json:
    """A mark across all graphs at the times when a query returns something."""
    look = {"enable": True, "iconColor": entry["color"], "titleFormat": entry["title"]}
    return {"name": entry["name"], "datasource": DATASOURCE, "expr": entry["expr"].strip(), **look}


def _variable(entry: Json) -> Json:
    return {
        "name": entry["name"],
        "label": entry["label"],
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": entry["query"], "refId": entry["name"]},
        "definition": entry["query"],
        "current": {"text": entry["default"], "value": entry["default"]},
        "refresh": 2,  # on a change of the time range
        "sort": 1,
    }


def _rows(rows: list[Json], release: str) -> list[Json]:
    """All panels with their places: a heading for each row, then its panels, left to right and wrapped."""
    panels: list[Json] = []
    top = 0
    for row in rows:
        heading = {"id": _panel_id(f"row {row['title']}"), "type": "row", "title": row["title"], "collapsed": False, "panels": []}
        panels.append({**heading, "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top}})
        top, left = top + 1, 0
        for panel in row["panels"]:
            width = panel.get("width", row["width"])
            if left + width > COLUMNS:
                top, left = top + row["height"], 0
            panels.append(_panel(panel, release, {"h": row["height"], "w": width, "x": left, "y": top}))
            left += width
        top += row["height"]
    return panels


def _panel_id(title: str) -> int:
    """A number for a panel that depends on its title alone, so that links to it outlive a change of order."""
    return zlib.crc32(title.encode()) % 1_000_000


def _panel(panel: Json, release: str, position: Json) -> Json:
    is_table = panel["type"] == "table"
    links = [{"title": title, "url": url} for title, url in panel.get("links", {}).items()]
    return {
        "id": _panel_id(panel["title"]),
        "type": panel["type"],
        "title": panel["title"],
        "description": _one_line(panel),
        "datasource": DATASOURCE,
        "gridPos": position,
        "targets": [_target(number, query, instant=is_table) for number, query in enumerate(panel["queries"])],
        "transformations": _as_table(panel["queries"], panel["key"]) if is_table else [_without_release(release)],
        "fieldConfig": _field_config(panel),
        "options": _options(panel),
        **({"links": links} if links else {}),
    }


def _without_release(release: str) -> Json:
    """Show a series by its service, not by its whole name."""
    return {"id": "renameByRegex", "options": {"regex": f"(.*){release}-(.*)", "renamePattern": "$1$2"}}


def _letter(position: int) -> str:
    """A query's `refId`: its letter in the panel's order."""
    return chr(ord("A") + position)


def _target(position: int, query: Json, *, instant: bool) -> Json:
    return {
        "refId": _letter(position),
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query["expr"].strip(),
        "legendFormat": query.get("legend", "__auto"),
        **({"instant": True, "range": False, "format": "table"} if instant else {"range": True}),
    }


def _as_table(queries: list[Json], key: str) -> list[Json]:
    """One row for each value of the label `key`, one column for each query, named by the query's legend."""
    names = {f"Value #{_letter(position)}": query["legend"] for position, query in enumerate(queries)}
    order = {name: position for position, name in enumerate([key, *names])}
    columns = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {key: key.capitalize(), **names}}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": columns}]


def _options(panel: Json) -> Json:
    """What Grafana calls a panel's options, by its type."""
    match panel["type"]:
        case "timeseries":
            legend = {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case "stat":
            return {"reduceOptions": LAST, "colorMode": "value", "graphMode": "area", "textMode": panel.get("text", "auto")}
        case "bargauge":
            return {"reduceOptions": LAST, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True}
        case "table":
            return {"cellHeight": "sm", "showHeader": True, "sortBy": [{"displayName": panel["sort"], "desc": True}]}
        case unknown:
            raise ValueError(f"panel {panel['title']!r}: no such type: {unknown}")


def _field_config(panel: Json) -> Json:
    """Unit, range, thresholds and line style of a panel, and what single queries or columns change in it."""
    is_graph = panel["type"] == "timeseries"
    defaults: Json = {"unit": panel["unit"], **{key: panel[key] for key in ("min", "max", "decimals") if key in panel}}
    if "no_value" in panel:
        defaults["noValue"] = panel["no_value"]
    if "thresholds" in panel:
        defaults["thresholds"] = _thresholds(panel["thresholds"])
        defaults["color"] = {"mode": "palette-classic" if is_graph else "thresholds"}
    elif panel["type"] == "stat":
        defaults["color"] = _fixed("blue")  # by itself Grafana has red from 80 on
    if is_graph:
        defaults["custom"] = {
            "drawStyle": panel.get("draw", "line"),
            "lineInterpolation": "stepAfter" if panel.get("steps") else "linear",
            "fillOpacity": panel.get("fill", 8),
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.get("stacked") else "none"},
            "thresholdsStyle": {"mode": "dashed" if "thresholds" in panel else "off"},
        }
        if panel.get("min") == 0 and "max" not in panel and panel["unit"] in LEAST_TOP:
            defaults["custom"]["axisSoftMax"] = LEAST_TOP[panel["unit"]]
    overrides = [
        *(_override("byFrameRefID", _letter(position), _look(query)) for position, query in enumerate(panel["queries"])),
        *(_override("byRegexp", f"/{pattern}/", {"color": _fixed(color)}) for pattern, color in panel.get("colors", {}).items()),
        *(_override("byName", name, _column(column)) for name, column in panel.get("columns", {}).items()),
    ]
    return {"defaults": defaults, "overrides": [override for override in overrides if override["properties"]]}


def _override(matcher: str, what: str, properties: Json) -> Json:
    return {"matcher": {"id": matcher, "options": what}, "properties": [{"id": key, "value": value} for key, value in properties.items()]}


def _fixed(color: str) -> Json:
    return {"mode": "fixed", "fixedColor": color}


def _look(query: Json) -> Json:
    """How the series of one query look where they differ from the panel's."""
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [6, 6]}, "custom.fillOpacity": 0}
    return {**({"color": _fixed(query["color"])} if "color" in query else {}), **(dashed if query.get("dashed") else {})}


def _column(column: Json) -> Json:
    """Unit, decimals and colours of one column of a table."""
    properties: Json = {"unit": column.get("unit", "short"), **({"decimals": column["decimals"]} if "decimals" in column else {})}
    if "words" in column:
        words = {str(value): {"text": word, "color": color} for value, (word, color) in column["words"].items()}
        properties["mappings"] = [{"type": "value", "options": words}]
    if "thresholds" in column:
        properties["thresholds"] = _thresholds(column["thresholds"])
    colored = "words" in column or "thresholds" in column
    return {**properties, **({"custom.cellOptions": {"type": "color-text"}} if colored else {})}


def _thresholds(colors: dict[str | float, str]) -> Json:
    """Grafana's threshold steps from `{base: green, 0.9: red}`, lowest first."""
    steps: list[Json] = [{"color": colors["base"], "value": None}]
    return {"mode": "absolute", "steps": steps + [{"color": colors[value], "value": value} for value in sorted(set(colors) - {"base"})]}

"""Grafana dashboards: `monitoring/dashboards/*.yaml`, which people edit, rendered to the JSON that Grafana reads.

A YAML file holds what differs between panels: title, description, queries, unit, thresholds. What all panels share (data source,
legend, tooltip, position) is here. Panels flow from left to right and wrap at Grafana's 24 columns. `specs/monitoring.md`
says what is on the dashboards and why.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import yaml

from scripts.core.paths import ROOT

FOLDER = ROOT / "monitoring" / "dashboards"
COLUMNS = 24
SCHEMA_VERSION = 39  # what the pinned chart's own dashboards carry; Grafana migrates it upward on load
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
STRIP_RELEASE_NAME = {
    "id": "renameByRegex",
    "options": {"regex": "(.*)todo-chatbot-(.*)", "renamePattern": "$1$2"},
}

Json = dict[str, Any]


def panel_id(title: str) -> int:
    """A number for a panel that depends on its title alone, so that links to it outlive a change of order."""
    return zlib.crc32(title.encode()) % 1_000_000


def thresholds(colors: dict[str | float, str]) -> Json:
    """Grafana's threshold steps from `{base: green, 0.9: red}`, lowest first."""
    values = sorted(value for value in colors if value != "base")
    steps: list[Json] = [{"color": colors["base"], "value": None}]
    return {"mode": "absolute", "steps": steps + [{"color": colors[value], "value": value} for value in values]}


def target(position: int, query: Json, *, instant: bool) -> Json:
    """One query of a panel; its `refId` is its letter in the panel's order."""
    return {
        "refId": chr(ord("A") + position),
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query["expr"].strip(),
        "legendFormat": query.get("legend", "__auto"),
        **({"instant": True, "range": False, "format": "table"} if instant else {"range": True}),
    }


def query_override(position: int, query: Json) -> Json | None:
    """How the series of one query look where they differ from the panel's: `color`, `dashed`, `axis: right` with a `unit`."""
    properties: list[Json] = []
    if "color" in query:
        properties.append({"id": "color", "value": {"mode": "fixed", "fixedColor": query["color"]}})
    if query.get("dashed"):
        properties += [
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 6]}},
            {"id": "custom.fillOpacity", "value": 0},
        ]
    if not properties:
        return None
    return {"matcher": {"id": "byFrameRefID", "options": chr(ord("A") + position)}, "properties": properties}


def column_override(name: str, column: Json) -> Json:
    """Unit, width and colours of one column of a table."""
    properties: list[Json] = [{"id": "unit", "value": column.get("unit", "short")}]
    if "decimals" in column:
        properties.append({"id": "decimals", "value": column["decimals"]})
    if "words" in column:
        mapping = {str(value): {"text": word, "color": color} for value, (word, color) in column["words"].items()}
        properties += [
            {"id": "mappings", "value": [{"type": "value", "options": mapping}]},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    if "thresholds" in column:
        properties += [
            {"id": "thresholds", "value": thresholds(column["thresholds"])},
            {"id": "custom.cellOptions", "value": {"type": "color-text"}},
        ]
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def table_transformations(queries: list[Json], key: str) -> list[Json]:
    """One row for each value of the label `key`, one column for each query, named by the query's legend."""
    names = {f"Value #{chr(ord('A') + position)}": query["legend"] for position, query in enumerate(queries)}
    order = {key: 0, **{name: position + 1 for position, name in enumerate(names)}}
    return [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": order,
                "renameByName": {key: key.capitalize(), **names},
            },
        },
    ]


def options(panel: Json) -> Json:
    """What Grafana calls a panel's options, by its type."""
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match panel["type"]:
        case "timeseries":
            return {
                "legend": {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case "stat":
            return {"reduceOptions": last, "colorMode": "value", "graphMode": "area", "textMode": panel.get("text", "auto")}
        case "bargauge":
            return {"reduceOptions": last, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True}
        case "table":
            return {"cellHeight": "sm", "showHeader": True, "sortBy": [{"displayName": panel["sort"], "desc": True}]}
        case unknown:
            raise ValueError(f"panel {panel['title']!r}: no such type: {unknown}")


def field_config(panel: Json) -> Json:
    """Unit, range, thresholds and line style of a panel, and what single queries or columns change in it."""
    defaults: Json = {"unit": panel["unit"], **{key: panel[key] for key in ("min", "max", "decimals") if key in panel}}
    if "no_value" in panel:
        defaults["noValue"] = panel["no_value"]
    if "thresholds" in panel:
        defaults["thresholds"] = thresholds(panel["thresholds"])
        defaults["color"] = {"mode": "palette-classic" if panel["type"] == "timeseries" else "thresholds"}
    if panel["type"] == "timeseries":
        defaults["custom"] = {
            "drawStyle": panel.get("draw", "line"),
            "lineInterpolation": "stepAfter" if panel.get("steps") else "linear",
            "fillOpacity": panel.get("fill", 8),
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.get("stacked") else "none"},
            "thresholdsStyle": {"mode": "dashed" if "thresholds" in panel else "off"},
        }
    overrides = [query_override(position, query) for position, query in enumerate(panel["queries"])]
    overrides += [
        {
            "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}],
        }
        for pattern, color in panel.get("colors", {}).items()
    ]
    overrides += [column_override(name, column) for name, column in panel.get("columns", {}).items()]
    return {"defaults": defaults, "overrides": [override for override in overrides if override]}


def render_panel(panel: Json, position: Json) -> Json:
    """One panel of Grafana's classic model from its entry in the YAML."""
    is_table = panel["type"] == "table"
    rendered = {
        "id": panel_id(panel["title"]),
        "type": panel["type"],
        "title": panel["title"],
        "description": " ".join(panel["description"].split()),
        "datasource": DATASOURCE,
        "gridPos": position,
        "targets": [target(number, query, instant=is_table) for number, query in enumerate(panel["queries"])],
        "transformations": table_transformations(panel["queries"], panel["key"]) if is_table else [STRIP_RELEASE_NAME],
        "fieldConfig": field_config(panel),
        "options": options(panel),
    }
    if "links" in panel:
        rendered["links"] = [{"title": title, "url": url} for title, url in panel["links"].items()]
    return rendered


def render_rows(rows: list[Json]) -> list[Json]:
    """All panels with their places: a heading for each row, then its panels, left to right and wrapped."""
    panels: list[Json] = []
    top = 0
    for row in rows:
        heading = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        panels.append(
            {
                "id": panel_id(f"row {row['title']}"),
                "type": "row",
                "title": row["title"],
                "collapsed": False,
                "gridPos": heading,
                "panels": [],
            }
        )
        top, left = top + 1, 0
        for panel in row["panels"]:
            width = panel.get("width", row["width"])
            if left + width > COLUMNS:
                top, left = top + row["height"], 0
            panels.append(render_panel(panel, {"h": row["height"], "w": width, "x": left, "y": top}))
            left += width
        top += row["height"]
    return panels


def render_variables(variables: list[Json]) -> list[Json]:
    """The data source variable, and the dashboard's own, each filled by a query."""
    datasource = {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "Prometheus", "value": "prometheus"},
    }
    own = [
        {
            "name": variable["name"],
            "label": variable["label"],
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": variable["query"], "refId": variable["name"]},
            "definition": variable["query"],
            "current": {"text": variable["default"], "value": variable["default"]},
            "refresh": 2,  # on a change of the time range
            "sort": 1,
        }
        for variable in variables
    ]
    return [datasource, *own]


def render_annotations(annotations: list[Json]) -> list[Json]:
    """Marks across all graphs at the times when a query returns something."""
    return [
        {
            "name": entry["name"],
            "datasource": DATASOURCE,
            "enable": True,
            "iconColor": entry["color"],
            "expr": entry["expr"].strip(),
            "titleFormat": entry["title"],
        }
        for entry in annotations
    ]


def render_dashboard(source: Json) -> Json:
    """A dashboard of Grafana's classic model, ready to be provisioned from a file.

    `id` is null because Grafana numbers dashboards itself; `uid` is what links and our checks use.
    """
    return {
        "id": None,
        "uid": source["uid"],
        "title": source["title"],
        "description": " ".join(source["description"].split()),
        "tags": source["tags"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,  # one crosshair over all graphs
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "Dashboards",
                "tags": source["tags"],
                "asDropdown": False,
                "includeVars": False,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
            }
        ],
        "annotations": {"list": render_annotations(source.get("annotations", []))},
        "templating": {"list": render_variables(source.get("variables", []))},
        "panels": render_rows(source["rows"]),
    }


def rendered() -> dict[str, str]:
    """Return the text of each dashboard, by the name of the file that Grafana gets."""
    sources = {path.with_suffix(".json").name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
    return {name: json.dumps(render_dashboard(source), indent=2, ensure_ascii=False) + "\n" for name, source in sources.items()}

"""Recorded expositions: what exporters and our services really answer on /metrics, trimmed, and how to record them.

    curl -s :8000/metrics | python -m tests.monitoring.expositions 'todo-backend 0.1.0: curl :8000/metrics' > backend.prom

A recording keeps the type of every family. Of series that a dashboard or a rule names it keeps all samples of the namespace
`todo-chatbot`, of no namespace and of the whole node; of the rest one sample, for the name and the labels.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

RECORDINGS = Path(__file__).parent / "recordings"
_OF_HISTOGRAM = ("_bucket", "_sum", "_count")


def recorded() -> dict[str, str]:
    """The text of each recording by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(RECORDINGS.glob("*.prom"))}


def families(pages: dict[str, str] | None = None) -> dict[str, str]:
    """The type of each family by its name (of the recordings, or of other pages); a counter is named as its samples are."""
    kinds: dict[str, str] = {}
    for text in (recorded() if pages is None else pages).values():
        for family in text_string_to_metric_families(text):
            # The parser takes `_total` off a counter's name; a few exporters have counters without it.
            counted = {sample.name for sample in family.samples} or {f"{family.name}_total"}
            names = counted if family.type == "counter" else {family.name}
            kinds.update(dict.fromkeys(names, family.type))
    return kinds


@functools.cache
def series_types() -> dict[str, str]:
    """The type of each series name that PromQL can select; a histogram's parts count as counters."""
    types: dict[str, str] = {}
    for name, kind in families().items():
        if kind == "histogram":
            types.update(dict.fromkeys((name + part for part in _OF_HISTOGRAM), "counter"))
        else:
            types[name] = kind
    return types


def trim(lines: Iterable[str], asked: set[str], namespace: str = "todo-chatbot") -> Iterator[str]:
    """The lines of an exposition that a recording keeps. `asked` are the series that some query names."""
    kept: set[str] = set()
    for line in lines:
        if line.startswith("#"):
            if line.startswith("# TYPE "):
                yield line
            continue
        if not line.strip():
            continue
        name = line.split("{")[0].split()[0]
        ours = any(mark in line for mark in ('id="/"', f'namespace="{namespace}"')) or 'namespace="' not in line
        if name not in kept or (name in asked and ours):
            kept.add(name)
            yield line


def main() -> None:
    """Read an exposition on stdin, write its recording to stdout; the argument says what was recorded and how."""
    from scripts.config.settings import load_settings
    from scripts.desired.alert_rules import alerts
    from scripts.monitoring.queries import load_queries
    from tests.monitoring import promql

    expressions = [query.resolved("todo-chatbot", "2m") for query in load_queries(load_settings())] + list(alerts(load_settings()).values())
    asked = {name for expression in expressions for name in promql.metric_names(expression)}
    sys.stdout.write(f"# Recorded from {sys.argv[1]}\n")
    sys.stdout.writelines(trim(sys.stdin, asked))


if __name__ == "__main__":
    main()

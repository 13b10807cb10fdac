"""The text of `invoke.yaml` and `.env.example` for a draft: what belongs to an app is rewritten, the rest is kept."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from scripts.discover.drafted import Draft, Key

WIDTH = 140
_TOP = re.compile(r"([A-Za-z_][\w-]*):(\s|$)")
_BLOCK = ("env", "build_args", "init")
GRAFANA = Key("GRAFANA_ADMIN_PASSWORD", "the password of Grafana's user `admin`", generate=True, format="line")
LOGIN = Key(
    "REGISTRY_LOGIN", "how nodes log in to kube_context.registry, as user:password; empty means not at all", optional=True, format="login"
)
DATABASE = """\
# The bundled Postgres, in the cluster, for a database URL below that is empty.
database:
  context: docker/postgres
  dockerfile: docker/postgres.Dockerfile
  base: postgres
  secrets: [POSTGRES_PASSWORD]
  # Its metrics, where monitoring runs.
  exporter:
    context: docker/postgres-exporter
    dockerfile: docker/postgres-exporter.Dockerfile
    base: postgres-exporter
"""
ENV_HEAD = """\
# Secrets and per-developer settings. Copy to .env, or let `invoke up` do it: it generates what can be generated.
# One KEY=value a line. Quote a value that holds spaces or a #. Nothing is interpolated: a $ is a $.
# .env is never committed, never printed, and each service gets only the keys that invoke.yaml lists for it.
"""


def settings(draft: Draft, before: str) -> str:
    """Return `invoke.yaml` for a draft, with the sections of the one before that belong to no app."""
    head, blocks = _blocks(before)
    own = {name: f"{name}: {draft.project}\n" for name in ("project", "namespace", "release")}
    own |= {"services": _services(draft), "env": _env(draft)}
    made = [head]
    for name, text in blocks.items():
        if name == "smoke" or (name == "database" and not draft.database):
            continue
        if name in own:
            text = _with_its_surroundings(own.pop(name), text)  # noqa: PLW2901 - the text, one section richer
        elif name == "chart":
            text = _with_its_surroundings(_without(text, "values").rstrip() + "\n" + _chart_values(draft), text)  # noqa: PLW2901
        elif name == "monitoring":
            text = _without(text, "rules", "dashboard_rows", "slow_handlers")  # noqa: PLW2901
        made.append(text)
        if name == "services" and draft.database and "database" not in blocks:
            made.append(f"{DATABASE}\n")
    return "".join([*made, *(f"\n{text}" for text in own.values())])


def _blocks(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first key, and the text of each key: with the comment right above it and the blank lines below it."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for line in text.splitlines(keepends=True):
        if match := _TOP.match(line):
            above: list[str] = []
            while parts[-1][1] and parts[-1][1][-1].startswith("#"):
                above.insert(0, parts[-1][1].pop())
            if not parts[-1][0] and not parts[-1][1]:  # the file's own head
                parts[-1][1].extend(above)
                above = []
            parts.append((match[1], above))
        parts[-1][1].append(line)
    return "".join(parts[0][1]), {name: "".join(lines) for name, lines in parts[1:]}


def _with_its_surroundings(text: str, former: str) -> str:
    """A section with the comment that stood above the former one, and as much space below."""
    above = "".join(line for line in itertools.takewhile(lambda line: line.startswith("#"), former.splitlines(keepends=True)))
    return ("" if text.startswith("#") else above) + text.rstrip("\n") + "\n" * (len(former) - len(former.rstrip("\n")))


def _without(text: str, *keys: str) -> str:
    """A section without these keys, what is below each, and the comment above it."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if re.match(r"(  )?\S", line) or not line.strip():
            inside = bool(re.match(rf"  ({'|'.join(keys)}):", line))
            while inside and kept and kept[-1].startswith("  #"):
                kept.pop()
        if not inside:
            kept.append(line)
    return "".join(kept)


def _chart_values(draft: Draft) -> str:
    if not draft.tester:
        return ""
    lines = ["  # Values of the chart, over what follows from `services`.", "  values:", "    test:"]
    return "\n".join([*lines, "      # Its image has Python, for the pod of `helm test`.", f"      imageOf: {draft.tester}", ""])


def _services(draft: Draft) -> str:
    lines = ["services:"]
    for name, values in draft.services.items():
        lines.append(f"  {_flow(name)}:")
        for key, value in values.items():
            lines += _comment(draft.reasons.get((name, key), ""), 4)
            if key in _BLOCK:
                lines.append(f"    {key}:")
                for inner, said in value.items():
                    lines += _comment(draft.reasons.get((name, key, inner), ""), 6)
                    lines.append(f"      {_flow(inner)}: {_flow(said)}")
            else:
                lines.append(f"    {key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _env(draft: Draft) -> str:
    lines = ["env:"]
    for key in _keys(draft):
        lines.append(f"  {_flow(key.name)}:")
        lines += _comment(draft.reasons.get(("env", key.name), ""), 4)
        said: dict[str, Any] = {"description": key.description, "optional": key.optional, "generate": key.generate}
        said |= {"format": key.format if key.format != "text" else "", "default": key.default}
        lines += [f"    {word}: {_flow(value)}" for word, value in said.items() if value]
    return "\n".join(lines) + "\n"


def _keys(draft: Draft) -> list[Key]:
    """Those of the app, and those that sections name which stay as they were."""
    return [*draft.keys.values(), *(key for key in (LOGIN, GRAFANA) if key.name not in draft.keys)]


def _comment(reason: str, indent: int) -> Iterator[str]:
    if reason:
        text = f"{reason[:1].upper()}{reason[1:]}."
        yield from textwrap.wrap(text, WIDTH, initial_indent=" " * indent + "# ", subsequent_indent=" " * indent + "# ")


class _Dumper(yaml.SafeDumper):
    """Writes what is there twice twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML hands it over
        """Return whether it is written out."""
        return True


def _flow(value: Any) -> str:
    """A value on one line."""
    text: str = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def env_example(draft: Draft, before: str) -> str:
    """Return `.env.example` for a draft: each key with what it is for, and no value; its head is that of the one before."""
    head = before.partition("\n\n")[0]
    parts = [f"{head}\n" if head.startswith("#") and "=" not in re.sub("#.*", "", head) else ENV_HEAD]
    for key in _keys(draft):
        said = key.description + (". Generated by `invoke up`" if key.generate else "" if not key.optional else ". May stay empty")
        wrapped = textwrap.wrap(said[:1].upper() + said[1:] + ".", WIDTH, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join(["", *wrapped, f"{key.name}=", ""]))
    return "".join(parts)

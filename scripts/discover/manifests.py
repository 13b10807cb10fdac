"""Services of Kubernetes manifests, and of Helm charts as helm renders them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.core import shell
from scripts.core.errors import TaskError
from scripts.core.nested import at
from scripts.discover import names, quantities, yaml_file
from scripts.discover.found import Found, Port, Probe, Ref, Value, mapping, number, sequence, text_value, words

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
POD = ("spec", "template", "spec")
Objects = dict[str, dict[str, dict[str, Any]]]
"""By kind and name."""
_FULL_NAME = re.compile(r"(?<=[\w-])\.[a-z0-9-]+\.svc(\.cluster\.local)?\b")
RELEASE = "app"


def rendered(chart: Path) -> str:
    """Return a chart's manifests, with its own values. Raises TaskError where helm is missing or refuses the chart."""
    return shell.run(["helm", "template", RELEASE, str(chart)], timeout=60).stdout


def read(documents: Sequence[Any], origin: str) -> list[Found]:
    """Return the services that manifests describe: each workload, with what its ConfigMaps, Secrets and Services say."""
    objects = [mapping(each) for document in documents for each in _listed(document)]
    by_kind: Objects = {}
    for each in objects:
        by_kind.setdefault(words(each.get("kind")), {})[words(at(each, "metadata", "name"))] = each
    return [
        _found(name, workload, by_kind, origin)
        for kind in WORKLOADS
        for name, workload in by_kind.get(kind, {}).items()
        if name and _container(workload)
    ]


def _listed(document: Any) -> list[Any]:
    return sequence(at(document, "items")) if at(document, "kind") == "List" else [document]


def _container(workload: dict[str, Any]) -> dict[str, Any]:
    containers = sequence(at(workload, *POD, "containers"))
    return mapping(containers[0]) if containers else {}


def _found(name: str, workload: dict[str, Any], by_kind: Objects, origin: str) -> Found:
    container = _container(workload)
    found = Found(name, origin, image=words(container.get("image")))
    ports = [number(at(each, "containerPort")) for each in sequence(container.get("ports"))]
    found.ports = [Port(port) for port in ports if port]
    for kind, key in (("live", "livenessProbe"), ("ready", "readinessProbe")):
        if asked := _probe(mapping(container.get(key))):
            found.probes[kind] = asked
    found.environment = _environment(container, by_kind)
    found.has_other_secrets = any(name and name not in by_kind.get("Secret", {}) for name in _whole_secrets(container))
    found.command, found.args = ([words(word) for word in sequence(container.get(key))] for key in ("command", "args"))
    found.replicas = number(at(workload, "spec", "replicas")) or None
    for key in ("requests", "limits"):
        given = {each: words(amount) for each, amount in mapping(at(container, "resources", key)).items()}
        if amounts := quantities.amounts(given, binary=False):
            found.resources[key] = amounts
    context = mapping(at(workload, *POD, "securityContext")) | mapping(container.get("securityContext"))
    found.user = words(context.get("runAsUser"))
    found.aliases = {name, *_service_names(workload, by_kind)}
    return found


def _service_names(workload: dict[str, Any], by_kind: Objects) -> set[str]:
    """The names of the Services that lead to a workload's pods."""
    labels = mapping(at(workload, "spec", "template", "metadata", "labels"))
    selectors = {name: mapping(at(service, "spec", "selector")) for name, service in by_kind.get("Service", {}).items()}
    return {name for name, selector in selectors.items() if selector and selector.items() <= labels.items()}


def _probe(probe: dict[str, Any]) -> Probe | None:
    if "httpGet" in probe:
        return words(at(probe, "httpGet", "path")) or "/"
    if "tcpSocket" in probe:
        return "tcp"
    return [words(word) for word in sequence(at(probe, "exec", "command"))] or None


def _environment(container: dict[str, Any], by_kind: Objects) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for source in sequence(container.get("envFrom")):
        found |= _of_map(by_kind, words(at(source, "configMapRef", "name")))
    for name in _whole_secrets(container):
        found |= _of_secret(by_kind, name)
    for each in map(mapping, sequence(container.get("env"))):
        name, source = words(each.get("name")), mapping(each.get("valueFrom"))
        if not name:
            continue
        if "secretKeyRef" in source:
            wanted = mapping(source["secretKeyRef"])
            found[name] = _of_secret(by_kind, words(wanted.get("name"))).get(words(wanted.get("key")), Value((Ref(name, secret=True),)))
            if not found[name].text:
                found[name] = Value((Ref(name, secret=True),))
        elif "configMapKeyRef" in source:
            wanted = mapping(source["configMapKeyRef"])
            found[name] = _of_map(by_kind, words(wanted.get("name"))).get(words(wanted.get("key")), Value((Ref(name),)))
        elif not source:
            found[name] = text_value(_short(words(each.get("value"))))
    return found


def _whole_secrets(container: dict[str, Any]) -> list[str]:
    """The Secrets of which a container gets all keys."""
    return [words(at(source, "secretRef", "name")) for source in sequence(container.get("envFrom"))]


def _of_map(by_kind: Objects, name: str) -> dict[str, Value]:
    data = mapping(at(by_kind, "ConfigMap", name, "data"))
    return {key: text_value(_short(words(value))) for key, value in data.items()}


def _of_secret(by_kind: Objects, name: str) -> dict[str, Value]:
    """The keys of a Secret; of those that only by their place are secret, the value that the file has in clear."""
    secret = mapping(at(by_kind, "Secret", name))
    found = {key: Value((Ref(key, secret=True),)) for key in mapping(secret.get("data"))}
    for key, value in mapping(secret.get("stringData")).items():
        plain = _short(words(value)) if not names.secret(key) else ""
        found[key] = text_value(plain) if plain else Value((Ref(key, secret=True),))
    return found


def _short(value: str) -> str:
    """Names of Services without their namespace and the cluster's domain."""
    return _FULL_NAME.sub("", value)


def read_files(paths: Sequence[Path]) -> tuple[list[Found], list[tuple[Path, str]]]:
    """Return the services of the manifests in files, and those that could not be read, with the reason."""
    documents: list[Any] = []
    wrong = []
    for path in paths:
        try:
            documents += yaml_file.read_documents(path)
        except TaskError as error:
            wrong.append((path, error.cause))
    return read(documents, "Kubernetes manifests"), wrong


def read_chart(chart: Path) -> list[Found]:
    """Return the services of a Helm chart. Raises TaskError where it cannot be rendered."""
    text = rendered(chart)
    return read(yaml_file.documents(text, f"the chart {chart.name}"), f"the chart {chart.name}")

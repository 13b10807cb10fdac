"""The runbook's commands are ones that work: of this tool, and about objects that are really there."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest
from invoke import Collection
from invoke.parser import Parser

import tasks
from scripts.config.settings import load_settings
from scripts.core.paths import ROOT
from scripts.desired import monitoring
from scripts.engines.minikube.engine import KUBECONFIG
from tests.render.chart import Object, scenario

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
COMMANDS = [
    line.partition("#")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```", RUNBOOK, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
COMMANDS += re.findall(r"`((?:k|invoke|minikube) [^`]+)`", RUNBOOK)
SETTINGS = load_settings()
SHORT = {"deploy": "Deployment", "deployment": "Deployment", "sts": "StatefulSet", "hpa": "HorizontalPodAutoscaler", "svc": "Service"}


def beginning(*words: str) -> list[list[str]]:
    return [argv for argv in map(shlex.split, COMMANDS) if tuple(argv[: len(words)]) == words]


def named(argv: list[str]) -> set[tuple[str, str]]:
    """The objects that a kubectl command line names, as (kind, name): `deploy/NAME` or `describe hpa NAME`; `…` stands for any."""
    slashed = [word.split("/", 1) for word in argv if re.fullmatch(r"[a-z]+/[-a-z0-9]+", word)]
    spaced = [[kind, name] for kind, name in itertools.pairwise(argv) if kind in SHORT and re.fullmatch(r"[a-z][-a-z0-9]+", name)]
    return {(SHORT[kind], name) for kind, name in [*slashed, *spaced]}


def in_monitoring(argv: list[str]) -> bool:
    return ["--namespace", SETTINGS.monitoring.namespace] in [argv[i : i + 2] for i in range(len(argv))]


@pytest.mark.unit
def test_commands_of_this_tool_exist_with_the_options_that_they_are_given() -> None:
    invoke = beginning("invoke")
    assert {argv[1] for argv in invoke} >= {"up", "open", "rollback"}
    assert isinstance(tasks.ns, Collection)
    for argv in invoke:
        Parser(contexts=tasks.ns.to_contexts()).parse_argv(argv[1:])


@pytest.mark.unit
def test_the_alias_is_of_the_cluster_that_the_minikube_engine_starts() -> None:
    ((_, alias),) = re.findall(r"^alias (k)='(.*)'$", RUNBOOK, re.MULTILINE)
    kubeconfig = str(KUBECONFIG.relative_to(ROOT))
    assert alias == f"kubectl --kubeconfig {kubeconfig} --context {SETTINGS.project} --namespace {SETTINGS.namespace}"
    assert {argv[argv.index("-p") + 1] for argv in beginning("minikube")} == {SETTINGS.project}


@pytest.mark.unit
def test_the_operator_has_the_name_that_the_chart_gives_it() -> None:
    names = {name for argv in beginning("k") if in_monitoring(argv) for name in named(argv)}
    assert names == {("Deployment", monitoring.object_name(SETTINGS, "operator"))}


@pytest.mark.render
def test_the_apps_objects_are_those_of_its_chart() -> None:
    rendered: list[Object] = scenario("everything switched on")
    there = {(thing["kind"], thing["metadata"]["name"]) for thing in rendered}
    components = {thing["metadata"].get("labels", {}).get("app.kubernetes.io/component") for thing in rendered}
    wanted = {name for argv in beginning("k") if not in_monitoring(argv) for name in named(argv)}
    assert ("Deployment", "todo-chatbot-backend") in wanted
    assert ("HorizontalPodAutoscaler", "todo-chatbot-backend") in wanted
    assert wanted <= there
    selected = set(re.findall(r"app\.kubernetes\.io/component=(\w+)", RUNBOOK))
    assert selected
    assert selected <= components

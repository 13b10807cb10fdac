"""Checks of the checkout itself, and of where the app runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.audit import coverage
from scripts.audit.facts import DOCKER, REPOSITORY, Facts, Finding, Unseen, Verdict, judged, not_checkable

SPECIFICATIONS = "specs"
FEATURE = re.compile(r"\d{3}-[a-z0-9-]+")
UNTICKED = re.compile(r"^- \[ \] ", re.MULTILINE)
TASK = re.compile(r"^- \[[ xX]\] ", re.MULTILINE)
DESKTOP = "Docker Desktop"


def instructions(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether a coding agent finds its instructions; who wrote what, no file tells."""
    missing = [f"{name} is missing" for name in ("CLAUDE.md", "AGENTS.md") if not (facts.repository.root / name).is_file()]
    if missing:
        return judged(REPOSITORY, missing, ())
    return not_checkable(REPOSITORY, "no file tells who wrote it; CLAUDE.md and AGENTS.md say how it is to be done")


def commands(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether the commands exist, by their names or as a group of commands."""
    wanted: Sequence[str] = looks_for["commands"]
    there = {name for command in facts.repository.commands for name in (command, command.partition(".")[0])}
    missing = [f"there is no `invoke {name}`" for name in wanted if name not in there]
    return judged(REPOSITORY, missing, [", ".join(f"invoke {name}" for name in wanted)])


def assistants(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether the assistants can be used; they look and propose, and plain code acts."""
    found = commands(facts, looks_for)
    return found if found.verdict is Verdict.BROKEN else Finding(Verdict.DEVIATES, found.on, found.evidence)


def tools(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether the commands that hand the assistants this cluster are there; the evidence says which assistants."""
    found = commands(facts, looks_for)
    if found.verdict is Verdict.BROKEN:
        return found
    here = facts.assistant.why if isinstance(facts.assistant, Unseen) else f"{facts.assistant} is here"
    return judged(found.on, (), [*found.evidence, here, f"kagent {facts.settings.kagent.version} is pinned"])


def scored(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether the assistant was tested here: the evidence is its score."""
    found = commands(facts, looks_for)
    if found.verdict is Verdict.BROKEN:
        return found
    if isinstance(facts.score, Unseen):
        return not_checkable(found.on, facts.score.why)
    return judged("answers of the last invoke check.ai", (), [facts.score])


def specified(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether everything that a user can name is named in a specification."""
    root = facts.repository.root
    missing = coverage.unnamed(root, facts.repository.commands)
    parts = coverage.parts(root)
    evidence = f"{len(parts)} parts, {coverage.count(root, facts.repository.commands)} commands, keys and values are named in specs/"
    return judged(REPOSITORY, [*coverage.parts_without_page(root), *missing], [evidence])


def _features(facts: Facts) -> list[Path]:
    folder = facts.repository.root / SPECIFICATIONS
    return sorted(each for each in folder.iterdir() if FEATURE.fullmatch(each.name)) if folder.is_dir() else []


def _each_has(facts: Facts, file: str, holds: re.Pattern[str], what: str) -> Finding:
    features = _features(facts)
    texts = {each.name: each / file for each in features}
    wrong = [f"{name}/{file}: {what} is missing" for name, path in texts.items() if not (path.is_file() and holds.search(path.read_text()))]
    if not features:
        wrong = [f"{SPECIFICATIONS} has no feature (NNN-name)"]
    return judged(REPOSITORY, wrong, [f"{file} of {', '.join(texts)}"])


def specifications(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether each feature begins with its specification."""
    found = _each_has(facts, "spec.md", re.compile(r"\S"), "a specification")
    living = len(list((facts.repository.root / SPECIFICATIONS).glob("*.md")))
    return judged(found.on, (), [*found.evidence, f"{living} living pages"]) if found.verdict is Verdict.KEPT else found


def plans(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether each feature has a plan that was held against the constitution, clause by clause; what made it, no file tells."""
    found = _each_has(facts, "plan.md", re.compile(r"^## Constitution check$", re.MULTILINE), "a constitution check")
    plans = {each.name: each / "plan.md" for each in _features(facts)}
    open_clauses = {name: len(UNTICKED.findall(path.read_text())) for name, path in plans.items() if path.is_file()}
    wrong = [f"{name}/plan.md: {number} clauses are not ticked" for name, number in open_clauses.items() if number]
    if wrong or found.verdict is Verdict.BROKEN:
        return judged(REPOSITORY, wrong or found.evidence, ())
    return not_checkable(REPOSITORY, f"no file tells what made it; {', '.join(found.evidence)}: each clause of the constitution is ticked")


def tasks(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether each feature was broken into tasks."""
    return _each_has(facts, "tasks.md", TASK, "a task")


def iterated(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether specifications were changed after they were written, by git's history."""
    repository = facts.repository
    if repository.all_commits < 2:
        return not_checkable(REPOSITORY, "git has no history here")
    wrong = [] if repository.commits > 1 else [f"{SPECIFICATIONS} was never changed"]
    return judged(REPOSITORY, wrong, [f"{repository.commits} of {repository.all_commits} commits changed {SPECIFICATIONS}"])


def files(facts: Facts, looks_for: Mapping[str, Any]) -> Finding:
    """Whether files hold words."""
    others = [name for name in looks_for.get("services", ()) if name not in facts.settings.services]
    if others:
        return not_checkable(REPOSITORY, f"invoke.yaml describes another app: it has no service {', '.join(others)}")
    wrong, found = [], []
    for name, words in looks_for["files"].items():
        path = facts.repository.root / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        wrong += [f"{name} does not hold `{word}`" for word in words if word not in text]
        found.append(f"{', '.join(words)} in {name}")
    return judged(REPOSITORY, wrong, found)


def docker(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether images are built by Docker Desktop."""
    if isinstance(facts.daemon, Unseen):
        return not_checkable("Docker daemon", facts.daemon.why)
    verdict = Verdict.KEPT if facts.daemon.system == DESKTOP else Verdict.DEVIATES
    return Finding(verdict, "Docker daemon", (f"Docker {facts.daemon.version} on {facts.daemon.system}",))


def minikube(facts: Facts, _: Mapping[str, Any]) -> Finding:
    """Whether the app runs on Minikube."""
    verdict = Verdict.KEPT if facts.engine == "minikube" else Verdict.DEVIATES
    on = DOCKER if facts.engine == "docker" else "invoke.yaml"
    return Finding(verdict, on, (f"the engine is {facts.engine}",))


CHECKS = {
    "instructions": instructions,
    "commands": commands,
    "assistants": assistants,
    "tools": tools,
    "scored": scored,
    "specified": specified,
    "specifications": specifications,
    "plans": plans,
    "tasks": tasks,
    "iterated": iterated,
    "files": files,
    "docker": docker,
    "minikube": minikube,
}

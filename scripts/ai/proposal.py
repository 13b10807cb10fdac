"""What an assistant proposes to change: checked, shown with its effect, asked about, and run under the user's own rights."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from scripts.ai.privacy import private
from scripts.core import lock
from scripts.core.errors import InputError, TaskError
from scripts.core.report import Report
from scripts.core.shell import CommandError
from scripts.kubernetes.cluster import Cluster

LINE = re.compile(r"^\s*PROPOSAL:\s*(.+?)\s*$", re.MULTILINE)
MOST = 3
VERBS = {"patch", "scale", "set", "label", "annotate", "delete"}
ROLLOUT = {"restart", "undo"}
SET = {"env", "image", "resources"}
FLAGS = {
    "-n", "--namespace", "-p", "--patch", "--type", "--replicas", "--current-replicas", "-c", "--containers", "--limits", "--requests",
    "--overwrite", "--to-revision",
}  # fmt: skip
ALONE = {"--overwrite"}
"""The flags that take no value."""
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
KINDS = {
    "deployment": "deployments deploy", "statefulset": "statefulsets sts", "replicaset": "replicasets rs", "pod": "pods po",
    "job": "jobs", "cronjob": "cronjobs cj", "horizontalpodautoscaler": "horizontalpodautoscalers hpa",
}  # fmt: skip
_KIND = {name: kind for kind, others in KINDS.items() for name in (kind, *others.split())}
OWN_FIELDS = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


@dataclass(frozen=True)
class Proposal:
    """One command, without `kubectl` before it, and the object that it is about."""

    words: tuple[str, ...]
    kind: str
    name: str
    destroys: bool

    def __str__(self) -> str:
        """Return the command as a person types it."""
        return shlex.join(["kubectl", *self.words])


def proposals(text: str, namespace: str) -> list[Proposal]:
    """Return what the answer proposes. Raises InputError where one of it is not what may be proposed."""
    return [_checked(line, namespace) for line in LINE.findall(text)[:MOST]]


def _checked(line: str, namespace: str) -> Proposal:
    def refuse(why: str) -> InputError:
        return InputError(
            f"the assistant proposed a command that is not allowed: {why}", "ask again, or do it yourself", [line], code="assistant-refused"
        )

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise refuse(str(error)) from None
    if words[:1] != ["kubectl"]:
        raise refuse("it is not a kubectl command")
    verb, sub = (*words[1:3], "", "")[:2]
    if not (verb in VERBS - {"set"} or (verb == "rollout" and sub in ROLLOUT) or (verb == "set" and sub in SET)):
        raise refuse(f"`kubectl {verb}`")
    given, plain = _parted(words[3:] if verb in ("rollout", "set") else words[2:])
    if unknown := given.keys() - FLAGS:
        raise refuse(f"the flag {', '.join(sorted(unknown))}")
    if not {given.get("-n", namespace), given.get("--namespace", namespace)} <= {namespace}:
        raise refuse("another namespace")
    kind, name, more = _object(plain)
    if kind not in _KIND or not NAME.fullmatch(name):
        raise refuse(f"not one named object of {', '.join(KINDS)}")
    if [word for word in more if verb not in ("set", "label", "annotate") or not ("=" in word or word.endswith("-"))]:
        raise refuse("more than one object")
    destroys = verb == "delete" or (verb, sub) == ("rollout", "undo") or given.get("--replicas") == "0"
    return Proposal(tuple(words[1:]), _KIND[kind], name, destroys)


def _parted(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The flags with their values, and the other words."""
    given: dict[str, str] = {}
    plain = []
    left = iter(words)
    for word in left:
        flag, equals, value = word.partition("=")
        if not word.startswith("-"):
            plain.append(word)
        else:
            given[flag] = value if equals or flag in ALONE else next(left, "")
    return given, plain


def _object(plain: Sequence[str]) -> tuple[str, str, Sequence[str]]:
    """The kind and the name that the words name, as KIND/NAME or KIND NAME, and the words after them."""
    kind, slash, name = (plain[0] if plain else "").partition("/")
    return (kind, name, plain[1:]) if slash else (kind, "".join(plain[1:2]), plain[2:])


def offer(cluster: Cluster, text: str, report: Report) -> None:
    """Show what is proposed and what it would do; ask; and run what is agreed to. Raises InputError, TaskError."""
    found = proposals(text, cluster.namespace)
    if not found:
        report.say("it proposes no change")
        return
    for each in found:
        shown = effect(cluster, each)
        report.event("proposal", command=str(each), destroys=each.destroys, difference=shown)
        report.result(f"\n{each}")
        report.result(shown)
    if not _agreed(f"Run {'this' if len(found) == 1 else f'these {len(found)} commands'} as you?", report):
        report.say("nothing was changed")
        return
    with lock.held("ask", report):
        for each in found:
            if each.destroys and not _agreed(f"{each} is destructive. Run it?", report):
                report.say(f"left out: {each}")
                continue
            report.result(cluster.kubectl(*each.words).stdout.strip())
    report.say("this lasts until the next `invoke up`, which restores what invoke.yaml says; `invoke plan` shows what it would undo")


def _agreed(question: str, report: Report) -> bool:
    try:
        return report.confirm(question)
    except InputError:
        raise InputError(question, "a person has to agree: ask in a terminal, without --json", code="confirmation-needed") from None


def effect(cluster: Cluster, proposal: Proposal) -> str:
    """Return what the command would change, by a dry run of the API server. Raises TaskError where the server would refuse it."""
    if proposal.words[:2] == ("rollout", "restart"):
        return "replaces all its pods, one after another, by new ones of the same template"
    before = cluster.get(proposal.kind, proposal.name)
    if not before:
        raise TaskError(
            f"the assistant proposed a change to {proposal.kind} {proposal.name}, which does not exist", code="assistant-failed"
        )
    try:
        answer = cluster.kubectl(*proposal.words, "--dry-run=server", *([] if proposal.words[0] == "delete" else ["--output", "json"]))
    except CommandError as error:
        raise TaskError(
            "the API server would refuse what the assistant proposes", "", [str(proposal), *error.evidence], code="assistant-failed"
        ) from None
    if proposal.words[0] == "delete":
        return f"deletes {proposal.kind} {proposal.name}"
    return difference(before[0], json.loads(answer.stdout))


def difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return the unified difference of two states of an object, without what the API server keeps for itself, and without secrets."""
    now, then = (private(yaml.safe_dump(_own(each), width=140)).splitlines() for each in (before, after))
    lines = list(difflib.unified_diff(now, then, "now", "then", lineterm="", n=2))
    return "\n".join(lines) or "changes nothing"


def _own(thing: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in thing.get("metadata", {}).items() if key not in OWN_FIELDS}
    return {**{key: value for key, value in thing.items() if key != "status"}, "metadata": metadata}

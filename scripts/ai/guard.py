"""Stands in for `bash` where kubectl-ai would run one: takes one kubectl command that only looks, and runs it without a shell.

`python -m scripts.ai.guard COMMAND`. kubectl runs as the ServiceAccount of the kubeconfig that TODO_ASK_KUBECONFIG names. What comes
back is redacted; what was asked and what became of it is written to the file TODO_ASK_RECORD.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.ai.privacy import learn_env, private
from scripts.core import shell
from scripts.core.errors import TaskError

KUBECONFIG, KUBECTL, RECORD = "TODO_ASK_KUBECONFIG", "TODO_ASK_KUBECTL", "TODO_ASK_RECORD"
SECONDS = 20
LONGEST = 12_000
READ = 2_000_000
"""How much of what kubectl prints is read at all."""
TAIL = 2000
LONGEST_SHOWN = 500
REFUSED = 126
VERBS = {"get", "describe", "logs", "events", "top", "explain", "version", "api-resources", "api-versions"}
SUB_VERBS = {"rollout": {"status", "history"}, "auth": {"can-i", "whoami"}}
FLAGS = {
    "-n", "--namespace", "-A", "--all-namespaces", "-l", "--selector", "--field-selector", "-o", "--output", "-L", "--label-columns",
    "--show-labels", "--show-kind", "--sort-by", "--no-headers", "--ignore-not-found", "--limit", "--chunk-size", "--tail", "--since",
    "--since-time", "-p", "--previous", "-c", "--container", "--all-containers", "--timestamps", "--prefix", "--for", "--types",
    "--containers", "--recursive", "--revision", "--list", "--namespaced", "--verbs", "--api-group", "--show-events", "--client",
    "--max-log-requests", "--ignore-errors", "--watch=false",
}  # fmt: skip
"""None of them reads a file, writes one, waits for what may never come, or names another server, user or kubeconfig."""
WITHOUT_VALUE = {"-A", "-p"}
OUTPUT = re.compile(r"json|yaml|wide|name|(jsonpath|jsonpath-as-json|custom-columns)=.*", re.DOTALL)
"""Not those that read a file, such as `custom-columns-file`; nor Go templates, which print without end, and in codes that hide a secret."""


class RefusedError(Exception):
    """A command that is not run, and why, for the assistant to read."""


def checked(command: str) -> list[str]:
    """Return the words of a command that only looks, without `kubectl` before them. Raises RefusedError for any other."""
    words = list(_words(command))
    if not words or words[0] != "kubectl":
        raise RefusedError("only kubectl can be run here")
    verb, rest = (words[1] if len(words) > 1 else ""), words[2:]
    if verb in SUB_VERBS and rest and rest[0] in SUB_VERBS[verb]:
        _check_flags(rest[1:])
    elif verb in VERBS:
        _check_flags(rest)
    else:
        allowed = [*sorted(VERBS), *(f"{first} {second}" for first, seconds in SUB_VERBS.items() for second in sorted(seconds))]
        raise RefusedError(f"`kubectl {verb}` is not allowed, only: {', '.join(allowed)}")
    return words[1:]


def _words(command: str) -> Iterator[str]:
    """Yield the words as a shell would quote them, with nothing expanded: a `$` is a `$`, since no shell reads it."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars="();<>|&\n`")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    try:
        for word in lexer:
            if word and set(word) <= set("();<>|&\n`"):
                raise RefusedError("one plain kubectl command a call: no pipes, redirections, substitutions or other programs")
            yield word
    except ValueError as error:
        raise RefusedError(f"that is not one plain command: {error}") from None


def _check_flags(words: Sequence[str]) -> None:
    for index, word in enumerate(words):
        if not word.startswith("-") or re.fullmatch(r"-\d+", word):
            continue
        flag, value = (word[:2], word[2:].removeprefix("=")) if word[1] != "-" else (word.partition("=")[0], word.partition("=")[2])
        if (flag not in FLAGS and word not in FLAGS) or (flag in WITHOUT_VALUE and value):  # `-Ao FORMAT` is two flags in one word
            raise RefusedError(f"the flag {flag} is not allowed")
        if flag in ("-o", "--output") and not OUTPUT.fullmatch(value or "".join(words[index + 1 : index + 2])):
            raise RefusedError("this output format is not allowed")


def run(words: Sequence[str]) -> tuple[int, str, str]:
    """Run kubectl as the ServiceAccount; return its exit code, what it says, redacted and bounded, and what became of the command."""
    argv = [os.environ[KUBECTL], f"--kubeconfig={os.environ[KUBECONFIG]}", *words]
    if words[0] == "logs" and not any(word.startswith("--tail") for word in words):
        argv.append(f"--tail={TAIL}")  # the end is what counts, and would not be read of a longer one
    learn_env()
    try:
        result = shell.run(argv, timeout=SECONDS, ok=None, logged=False, most=READ)
    except TaskError as error:
        return 1, private(error.cause), f"failed: {error.cause}"
    errors = private(result.stderr).strip()
    text = _bounded(private(result.stdout), end=words[0] == "logs")
    outcome = "done" if not result.code else ("refused by the API server: " if "(Forbidden)" in errors else "failed: ") + _line(errors)
    return result.code, f"{text}{errors}\n" if errors else text, outcome


def _bounded(text: str, *, end: bool) -> str:
    if len(text) <= LONGEST:
        return text
    left_out = f"[{len(text) - LONGEST} characters left out]"
    return f"{left_out}\n{text[-LONGEST:]}" if end else f"{text[:LONGEST]}\n{left_out}\n"


def _line(text: str) -> str:
    return next(iter(text.splitlines()), "")[:200]


def main(command: str) -> int:
    """Run the command or refuse it; record which; return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # kubectl is in a group of its own, and ends with us
    try:
        words = checked(command)
    except RefusedError as error:
        code, text, outcome = REFUSED, f"refused: {error}\n", f"refused here: {str(error).partition(', only')[0]}"
    else:
        code, text, outcome = run(words)
    with Path(os.environ[RECORD]).open("a", encoding="utf-8") as record:
        record.write(json.dumps({"command": private(command)[:LONGEST_SHOWN], "result": outcome}) + "\n")
    sys.stdout.write(text)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

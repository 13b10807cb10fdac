"""Runs kubectl-ai with nothing but what it needs, and reads its answer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.ai import guard
from scripts.ai.privacy import private
from scripts.config.assistants import Ask
from scripts.core import shell
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.paths import ROOT, STATE
from scripts.core.shell import CommandError, Result
from scripts.kubernetes.cluster import Cluster
from scripts.machine import tools

NAME = "kubectl-ai"
ROUNDS = 12
READ = 1_000_000
LONGEST_ANSWER = 20_000
LONGEST_TRACE = 5_000_000
TRACE = STATE / "last-ask.trace"
PASSED_ON = re.compile(r"(?i)(https?|no)_proxy|SSL_CERT_(FILE|DIR)|LANG|LC_ALL")
"""What of our environment it needs: the way to the provider, and the certificates on it."""
STYLE = re.compile(r"\x1b\[[0-9;]*m")
BY_ITSELF = re.compile(r"\x1b\[3[12]m.*?\x1b\[0m", re.DOTALL)
"""What kubectl-ai says itself: green, that it runs a command; red, what went wrong. The model's words have no colour."""
KEY = r"(?i)\b401\b|\b403\b|api key not valid|invalid.api.key|API_KEY_INVALID|unauthenticated"
MODEL = r"(?i)\b404\b|model.{0,80}(not found|does not exist)"
BUSY = r"(?i)\b429\b|RESOURCE_EXHAUSTED|quota"
SILENT = r"(?i)connection refused|no such host|timeout|unreachable|proxyconnect|certificate|\bEOF\b|\b50[0234]\b|connection reset"
USAGE = re.compile(r"^Usage:.*", re.MULTILINE | re.DOTALL)
"""Its help, which it prints after every failure: words such as `certificate` in it tell nothing."""
NOT_TOLD = ("  Running:", "Use --skip-permissions")
"""What it says that is no evidence, or bad advice."""
WORDS: tuple[tuple[str, Callable[..., TaskError]], ...] = (
    (
        r"require approval",
        partial(TaskError, "the assistant insisted on what it may not do", "ask in another way", code="assistant-refused"),
    ),
    (KEY, partial(InputError, "the provider refuses the key", "see ask.key in invoke.yaml, and its value", code="assistant-key-refused")),
    (MODEL, partial(InputError, "the provider has no such model", "set ask.model in invoke.yaml", code="assistant-model-unknown")),
    (BUSY, partial(MissingError, "the provider is out of quota for this key", "try again in some minutes", code="assistant-busy")),
    (SILENT, partial(MissingError, "the provider does not answer", "see network, proxies, ask.endpoint", code="assistant-unreachable")),
)
"""What kubectl-ai's words for a failure mean. The first that fits counts."""


@dataclass(frozen=True)
class Asked:
    """An answer, and each command that the assistant ran or wanted to, with what became of it."""

    text: str
    commands: tuple[tuple[str, str], ...]


def require(ask: Ask) -> None:
    """Raise MissingError where kubectl-ai is not there in an accepted version."""
    if problem := tools.find(NAME, ask.kubectl_ai).problem:
        raise MissingError(str(problem), "invoke setup --ai", code="program-missing")


def run(ask: Ask, provider: Mapping[str, str], cluster: Cluster, folder: Path, prompt: str) -> Asked:
    """Put the prompt to the assistant, whose `kubeconfig` is in the folder, and return its answer.

    provider: the variables with its key and address. Raises TaskError, within the time limit, where there is no answer.
    """
    environment = _environment(provider, cluster, folder)
    _prove_the_guard(folder, environment)
    trace, record = folder / "trace", folder / "record"
    argv = [NAME, "--quiet", f"--kubeconfig={folder / 'kubeconfig'}", f"--llm-provider={ask.provider}", f"--model={ask.model}"]
    argv += [
        f"--max-iterations={ROUNDS}",
        "--skip-permissions=false",
        "--mcp-client=false",
        "--remove-workdir",
        f"--trace-path={trace}",
        prompt,
    ]
    try:
        result = shell.run(argv, timeout=ask.timeout_seconds, env=environment, cwd=folder, ok=None, logged=False, most=READ)
    except CommandError:
        cause = f"no answer came from {ask.model} within {ask.timeout_seconds} s"
        raise TaskError(cause, "ask again, or raise ask.timeout_seconds in invoke.yaml", code="assistant-silent") from None
    finally:
        _keep(trace)
    commands = _recorded(record)
    if result.code:
        raise failure(result, commands)
    text = answer_in(result.stdout)
    if not text:
        cause = (
            f"the assistant came to no answer in {ROUNDS} rounds" if len(commands) >= ROUNDS else "the assistant ended without an answer"
        )
        raise TaskError(cause, f"ask again, or see {TRACE.relative_to(ROOT)}", code="assistant-failed")
    return Asked(text, commands)


def _environment(provider: Mapping[str, str], cluster: Cluster, folder: Path) -> dict[str, str | None]:
    """Nothing of ours but what it needs; a home, a PATH and a place for temporary files in the folder; and the guard for a shell."""
    bin_, stand_in = folder / "bin", folder / "stand-in.sh"
    bin_.mkdir()
    run_guard = f"cd {shlex.quote(str(ROOT))} && exec {shlex.quote(sys.executable)} -X utf8 -m {guard.__name__}"
    (bin_ / "bash").write_text(f'#!/bin/sh\n{run_guard} "$2"\n', encoding="utf-8")
    (bin_ / "bash").chmod(0o700)
    stand_in.write_text(f'{run_guard} "$BASH_EXECUTION_STRING"\n', encoding="utf-8")
    passed_on = {key: value for key, value in os.environ.items() if PASSED_ON.fullmatch(key)}
    own = {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": str(bin_),
        "BASH_ENV": str(stand_in),
        "KUBECTL_AI_TERM_WIDTH": "4000",  # the terminal folds lines, not kubectl-ai: a command stays whole
        guard.KUBECONFIG: str(folder / "kubeconfig"),
        guard.KUBECTL: shell.which("kubectl"),
        guard.RECORD: str(folder / "record"),
    }
    return {**dict.fromkeys(os.environ), **passed_on, **cluster.environment, **own, **provider}


def _prove_the_guard(folder: Path, environment: Mapping[str, str | None]) -> None:
    """Raise TaskError unless a shell, found on PATH or not, runs nothing but what the guard lets through."""
    witness = folder / "witness"
    shells = [bash for bash in (folder / "bin/bash", Path("/bin/bash")) if bash.exists()]
    for bash in shells:
        shell.run([str(bash), "-c", f": > {witness}"], timeout=30, env=environment, ok=None, logged=False)
    if witness.exists() or len(_recorded(folder / "record")) != len(shells):
        raise TaskError(
            "the guard between the assistant and this machine is not in place, so nothing was asked", code="assistant-not-confined"
        )
    (folder / "record").unlink()


def _recorded(record: Path) -> tuple[tuple[str, str], ...]:
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return tuple((str(entry["command"]), str(entry["result"])) for entry in map(json.loads, lines))


def answer_in(stdout: str) -> str:
    """Return the model's words in what kubectl-ai prints: without its own, and without what a terminal would obey."""
    text = STYLE.sub("", BY_ITSELF.sub("", stdout))
    text = "".join(each for each in text if each.isprintable() or each in "\n\t")
    lines = [line.rstrip() for line in text.splitlines()]
    answer = re.sub(r"\n{3,}", "\n\n", "\n".join(line.removeprefix("  ") for line in lines)).strip()
    left_out = len(answer) - LONGEST_ANSWER
    return answer if left_out <= 0 else f"{answer[:LONGEST_ANSWER]}\n[{left_out} characters left out]"


def failure(result: Result, commands: tuple[tuple[str, str], ...] = ()) -> TaskError:
    """Return the error for what kubectl-ai ended with."""
    said = [private(line) for line in STYLE.sub("", result.stdout).splitlines() if line.strip() and not line.startswith(NOT_TOLD)]
    told = next((line for line in reversed(result.stderr.splitlines()) if line.strip()), "")
    evidence = [*(line.strip() for line in said[-6:]), *(f"{command}: {outcome}" for command, outcome in commands)]
    text = f"{result.stdout}\n{USAGE.sub('', result.stderr)}"
    shown = evidence or [private(told)]
    for words, error in WORDS:
        if re.search(words, text):
            return error(evidence=shown)
    return TaskError(f"{NAME} failed", f"see {TRACE.relative_to(ROOT)}", shown, code="assistant-failed")


def _keep(trace: Path) -> None:
    """Keep the trace, without secrets, for its owner alone; one that cannot be kept is lost."""
    with contextlib.suppress(OSError):
        with trace.open(encoding="utf-8", errors="replace") as file:
            text = private(file.read(LONGEST_TRACE))
        TRACE.parent.mkdir(exist_ok=True)
        TRACE.touch(mode=0o600)
        TRACE.write_text(text, encoding="utf-8")

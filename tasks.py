"""The commands, in the order of their use. What they do is in `scripts/`; a command's module is imported when it is used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from invoke import Collection, Task

from scripts import completion, program
from scripts.program import Command, commands

program.adapt_invoke()
completion.complete_values()

GROUPS: dict[str, Sequence[Task[Any] | Collection]] = {
    "Run": commands("init", "setup", "up", "inner_loop.dev", "down", "up:build", "rollback", "rotate"),
    "Look": [
        *commands("up:plan", "smoke", "look.status", "look.logs"),
        Command("look.open:open_", "dashboard"),
        *commands("look.values", "look.diagnose", "look.doctor", "look.audit"),
    ],
    "Operate": commands(
        "operate.restart", "operate.scale", "operate.shell", "operate.psql", "operate.backup", "operate.restore", "operate.prune"
    ),
    "Assist": [
        *commands("ai.ask", "ai.mcp", "ai.gordon"),
        Collection("kagent", *commands("ai.kagent:up", "ai.kagent:status", "ai.kagent:ask", "ai.kagent:down", within="kagent")),
    ],
    "Develop": [
        *commands("dev.tests:test", "dev.tests:cluster_test"),
        Collection("check", *commands("dev.tests:faults", "ai.check:ai", "dev.vulnerabilities", within="check")),
        *commands("dev.bench", "dev.lint", "dev.pins:lock", "dev.outdated", "dev.sbom", "dev.spec"),
    ],
}
program.list_in_groups(GROUPS)

ns = Collection(*(each for group in GROUPS.values() for each in group))

"""The commands, in the order of their use. What they do is in `scripts/`; a command's module is imported when it is used."""

from __future__ import annotations

from typing import Any

from invoke import Collection, Task

from scripts import completion, program
from scripts.program import Command

program.leave_settings_to_us()
program.let_words_be_left_out()
program.exit_with_2_on_usage_errors()
program.import_what_is_named()
completion.complete_values()

GROUPS: dict[str, list[Task[Any] | Collection]] = {
    "Run": [Command(place) for place in ("init", "setup", "up", "inner_loop.dev", "down", "up:build", "rollback", "rotate")],
    "Look": [
        *(Command(place) for place in ("up:plan", "smoke", "look.status", "look.logs")),
        Command("look.open:open_", "dashboard"),
        *(Command(place) for place in ("look.values", "look.diagnose", "look.doctor", "look.audit")),
    ],
    "Operate": [Command(f"operate.{name}") for name in ("restart", "scale", "shell", "psql", "backup", "restore", "prune")],
    "Assist": [
        *(Command(f"ai.{name}") for name in ("ask", "mcp", "gordon")),
        Collection("kagent", *(Command(f"ai.kagent:{name}", within="kagent") for name in ("up", "status", "ask", "down"))),
    ],
    "Develop": [
        *(Command(place) for place in ("dev.tests:test", "dev.tests:cluster_test")),
        Collection("check", Command("dev.tests:faults", within="check"), Command("ai.check:ai", within="check")),
        *(Command(place) for place in ("dev.bench", "dev.lint", "dev.pins:lock", "dev.outdated", "dev.sbom", "dev.spec")),
    ],
}
program.list_in_groups(GROUPS)

ns = Collection(*(each for group in GROUPS.values() for each in group))

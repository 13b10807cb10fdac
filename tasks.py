"""The commands, in the order of their use. What they do is in `scripts/`."""

from __future__ import annotations

from invoke import Collection

from scripts.ai import kagent
from scripts.ai.ask import ask
from scripts.ai.check import ai
from scripts.ai.gordon import gordon
from scripts.ai.mcp import mcp
from scripts.command import exit_with_2_on_usage_errors, let_words_be_left_out, list_in_groups, refuse_broken_settings
from scripts.completion import complete_values
from scripts.dev.bench import bench
from scripts.dev.lint import lint
from scripts.dev.pins import lock
from scripts.dev.sbom import sbom
from scripts.dev.spec import spec
from scripts.dev.tests import cluster_test, faults, test
from scripts.down import down
from scripts.init import init
from scripts.inner_loop.dev import dev
from scripts.look.audit import audit
from scripts.look.diagnose import diagnose
from scripts.look.doctor import doctor
from scripts.look.logs import logs
from scripts.look.open import open_
from scripts.look.status import status
from scripts.look.values import values
from scripts.operate.backup import backup
from scripts.operate.prune import prune
from scripts.operate.psql import psql
from scripts.operate.restart import restart
from scripts.operate.restore import restore
from scripts.operate.scale import scale
from scripts.operate.shell import shell
from scripts.rollback import rollback
from scripts.rotate import rotate
from scripts.setup import setup
from scripts.smoke import smoke
from scripts.up import build, plan, up

refuse_broken_settings()
let_words_be_left_out()
exit_with_2_on_usage_errors()
complete_values()

GROUPS = {
    "Run": (init, setup, up, dev, down, build, rollback, rotate),
    "Look": (plan, smoke, status, logs, open_, values, diagnose, doctor, audit),
    "Operate": (restart, scale, shell, psql, backup, restore, prune),
    "Assist": (ask, mcp, gordon, Collection("kagent", kagent.up, kagent.status, kagent.ask, kagent.down)),
    "Develop": (test, cluster_test, Collection("check", faults, ai), bench, lint, lock, sbom, spec),
}
list_in_groups(GROUPS)

ns = Collection(*(each for group in GROUPS.values() for each in group))

"""The commands, in the order of their use. What they do is in `scripts/`."""

from __future__ import annotations

from invoke import Collection

from scripts.command import exit_with_2_on_usage_errors, let_words_be_left_out, list_in_groups, refuse_broken_settings
from scripts.dev.lint import lint
from scripts.dev.pins import lock
from scripts.dev.tests import cluster_test, faults, test
from scripts.down import down
from scripts.init import init
from scripts.inner_loop.dev import dev
from scripts.look.diagnose import diagnose
from scripts.look.doctor import doctor
from scripts.look.logs import logs
from scripts.look.open import open_
from scripts.look.status import status
from scripts.look.values import values
from scripts.rollback import rollback
from scripts.rotate import rotate
from scripts.setup import setup
from scripts.smoke import smoke
from scripts.up import build, plan, up

refuse_broken_settings()
let_words_be_left_out()
exit_with_2_on_usage_errors()

GROUPS = {
    "Run": (init, setup, up, dev, down, build, rollback, rotate),
    "Look": (plan, smoke, status, logs, open_, values, diagnose, doctor),
    "Develop": (test, cluster_test, Collection("check", faults), lint, lock),
}
list_in_groups(GROUPS)

ns = Collection(*(each for group in GROUPS.values() for each in group))

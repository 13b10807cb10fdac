"""The chart takes what `invoke init` drafts for an app."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.config.settings import parse_settings
from scripts.core.paths import ROOT
from scripts.desired.helm_release import provisional_release
from scripts.discover import folder, text
from scripts.discover.draft import drafted
from tests.discover.folders import make_files
from tests.discover.test_draft import SHOP
from tests.render.chart import any_helm, template

pytestmark = pytest.mark.render


@pytest.mark.parametrize("app", ["shop", "notes"])
def test_the_chart_takes_what_is_drafted(app: str, tmp_path: Path) -> None:
    where = ROOT / "tests/apps/notes" if app == "notes" else make_files(tmp_path, SHOP)
    made = text.settings(drafted(folder.look(where), ROOT, release=app), (ROOT / "invoke.yaml").read_text())
    values = provisional_release(parse_settings(made), monitoring=False).values
    rendered = template(any_helm(), None, values)
    assert rendered.returncode == 0, rendered.stderr

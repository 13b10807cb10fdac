"""What preflight takes, the services start with; what they would refuse, preflight names."""

from __future__ import annotations

import importlib.util
import re
import sys
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scripts.config import formats
from scripts.config.settings import EnvKey
from scripts.core.paths import ROOT
from tests.reports.urls import URLS

pytestmark = pytest.mark.unit

FUZZ = settings(deadline=None, max_examples=300, database=None)
DATABASE = EnvKey(description="the database", format="postgres_url")
TOKEN = EnvKey(description="a token", format="token")
FRONTENDS_TOKEN = re.search(r"if \(!/\^(?P<pattern>\S+)\$/\.test\(apiToken\)\)", (ROOT / "app/frontend/src/server/settings.ts").read_text())


def backends() -> ModuleType:
    """The backend's module, loaded from its file: the tool does not import the app."""
    spec = importlib.util.spec_from_file_location("backends_database_url", ROOT / "app/backend/src/todo_backend/database_url.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its module up there
    spec.loader.exec_module(module)
    return module


BACKENDS = backends()


@FUZZ
@given(URLS)
@example("postgresql://u:pa[ss@ep-x.neon.tech/db?sslmode=require")
def test_preflight_names_each_url_that_the_backend_refuses(url: str) -> None:
    found = formats.problems("DATABASE_URL", url, DATABASE)
    try:
        BACKENDS.parse(url)
    except BACKENDS.DatabaseUrlError:
        assert found


@FUZZ
@given(st.text(min_size=4) | st.text("abc!~ \n\x7f\x80é$", min_size=4))
@example("secret\n")
@example("pässword")
def test_preflight_names_each_token_that_the_frontend_refuses(token: str) -> None:
    assert FRONTENDS_TOKEN
    if not re.fullmatch(FRONTENDS_TOKEN["pattern"], token):
        assert formats.problems("API_TOKEN", token, TOKEN)


@FUZZ
@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=16))
def test_a_token_that_a_header_can_carry_is_taken_unless_it_is_a_sample(token: str) -> None:
    assert all("placeholder" in problem or "of a shell" in problem for problem in formats.problems("API_TOKEN", token, TOKEN))

"""Whatever stands in a compose file, `init` drafts settings or says in one error what is wrong: it never ends in a defect."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.config import yaml_text
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.discover import folder, text
from scripts.discover.draft import drafted
from tests.discover.folders import API, make_files

pytestmark = pytest.mark.unit

BEFORE = (ROOT / "invoke.yaml").read_text()
NAMES = st.sampled_from(["api", "db", "redis", "my_app", "test", "x" * 30, "Ä", "9", ""])
TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "./api",
                "api",
                "8000:8000",
                "70000:1",
                "redis:7",
                "postgres:16",
                "postgresql://a:b@db/x",
                "http://api:8000",
                "${A:-${B}}",
                "$",
            ),
            *(
                "curl -f http://localhost:99999/x",
                "API_KEY=x",
                "A",
                "=",
                "data:/data",
                "/var/run/docker.sock:/x",
                "sqlite:///x",
                "{api}",
                "a\nb: c",
            ),
            *(
                "uvicorn x --port 8000 --reload",
                "redis-server --requirepass ${REDIS_PASSWORD}",
                '"',
                "service_completed_successfully",
                "\u2028",
                "#",
            ),
        ]
    ),
    st.text(max_size=12),
)
SCALARS = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
KEYS = st.sampled_from(
    [
        *("image", "build", "context", "dockerfile", "args", "target", "ports", "expose", "environment", "env_file", "depends_on", "links"),
        *(
            "healthcheck",
            "test",
            "disable",
            "volumes",
            "command",
            "entrypoint",
            "deploy",
            "replicas",
            "resources",
            "limits",
            "cpus",
            "memory",
        ),
        *("profiles", "extends", "service", "file", "networks", "aliases", "user", "source", "published", "condition", "tmpfs", "secrets"),
        *("DATABASE_URL", "JWT_SECRET", "PORT", "CORS_ORIGINS", "NEXT_PUBLIC_API_URL", "REDIS_HOST", "POSTGRES_USER", "api", "db", "type"),
    ]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)), max_leaves=12
)
SERVICE = st.dictionaries(KEYS, VALUES, max_size=7)
COMPOSE = st.fixed_dictionaries(
    {"services": st.one_of(st.dictionaries(NAMES, SERVICE, min_size=1, max_size=4), VALUES)},
    optional={"include": VALUES, "volumes": VALUES, "x-a": VALUES},
)


def init(compose: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = make_files(Path(name), {"api/Dockerfile": API, "api/.env.example": "A=1\nB_TOKEN=x\n"})
        (root / "compose.yaml").write_text(compose, encoding="utf-8")
        try:
            draft = drafted(folder.look(root), root, release="shop")
        except InputError:
            return
        made = yaml_text.load(text.settings(draft, BEFORE), "invoke.yaml")
        assert made["services"] == yaml.safe_load(yaml.safe_dump(draft.services))
        assert made["minikube"] == yaml.safe_load(BEFORE)["minikube"]
        text.env_example(draft, "")


@settings(max_examples=60, deadline=None)
@given(COMPOSE)
def test_any_structure(compose: Any) -> None:
    init(yaml.safe_dump(compose, allow_unicode=True))


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.text("services:{}[]&*!<>|-?# \n\tabx\"'$")))
def test_any_text(compose: str) -> None:
    init(compose.replace("\r", "\n"))

"""The app under `tests/apps/` has a compose file, and what `init` makes of it is all that it takes to run it unchanged."""

from __future__ import annotations

import pytest

from scripts.core.paths import ROOT
from scripts.discover import folder
from scripts.discover.draft import drafted

pytestmark = pytest.mark.unit

NOTES = ROOT / "tests/apps/notes"


def test_all_that_the_app_needs_is_drafted_from_its_compose_file() -> None:
    draft = drafted(folder.look(NOTES), ROOT, release="notes")
    assert draft.services == {
        "api": {
            "context": "tests/apps/notes/api",
            "target": "serve",
            "port": 8000,
            "public": True,
            "env": {"QUEUE_URL": "redis://{queue}:{queue.port}/0"},
            "secrets": ["DATABASE_URL"],
            "probes": {"live": "/health", "ready": "/health"},
            "pages": {"/health": ""},
            "calls": ["postgres", "queue"],
            "internet": [5432],
        },
        "page": {
            "context": "tests/apps/notes/page",
            "build_args": {"API_URL": "{api.local_url}"},
            "port": 8080,
            "public": True,
            "calls": ["api"],
        },
        "worker": {
            "context": "tests/apps/notes/api",
            "target": "serve",
            "args": ["python3", "worker.py"],
            "env": {"QUEUE_URL": "redis://{queue}:{queue.port}/0"},
            "secrets": ["DATABASE_URL"],
            "replicas": 1,
            "calls": ["postgres", "queue"],
            "internet": [5432],
        },
        "queue": {"image": "notes-queue:1", "port": 6379},
    }
    assert {name: key.default for name, key in draft.keys.items()} == {
        "DATABASE_URL": "postgresql://app:{POSTGRES_PASSWORD}@{release}-postgres:5432/app",
        "POSTGRES_PASSWORD": "",
    }
    assert {each.about for each in draft.unknown} == {"queue", "queue/Dockerfile"}

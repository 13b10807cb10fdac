"""Examples of `.env`, package files, code and health checks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts.discover import code, env_examples, health, names, projects, quantities
from scripts.discover.found import EnvKey
from tests.discover.folders import make_files

pytestmark = pytest.mark.unit


def test_each_key_of_an_example_has_the_comment_above_it() -> None:
    found = env_examples.parse(
        "# ---- Section ----\n\n# What it is for,\n# in two lines\nKEY=value\nNEXT=1 # behind it\n"
        "# OLD=disabled\nexport THIRD='a b'\nNONE\n"
    )
    assert found == [
        EnvKey("KEY", "value", "What it is for, in two lines"),
        EnvKey("NEXT", "1", "behind it"),
        EnvKey("THIRD", "a b"),
        EnvKey("NONE", ""),
    ]


def test_of_a_real_env_file_the_names_alone_are_taken(tmp_path: Path) -> None:
    make_files(tmp_path, {".env": "# said\nTOKEN=abc123realone\nMODE=x", ".env.example": "MODE=y"})
    found = env_examples.beside(tmp_path)
    assert found == [EnvKey("MODE", "y"), EnvKey("TOKEN", "", "said")]
    assert "abc123realone" not in repr(found)


def test_an_env_file_that_git_has_is_an_example(tmp_path: Path) -> None:
    make_files(tmp_path, {".env": "MODE=x", "other/.env": "MODE=y"})
    for argv in (["init", "--quiet"], ["add", ".env"]):
        subprocess.run(["git", "-C", str(tmp_path), *argv], check=True)
    assert env_examples.beside(tmp_path) == [EnvKey("MODE", "x")]
    assert env_examples.beside(tmp_path / "other") == [EnvKey("MODE", "")]


def test_nothing_that_a_strangers_repository_names_is_run(tmp_path: Path) -> None:
    make_files(tmp_path, {".env": "MODE=x", "spy": f"#!/bin/sh\ntouch {tmp_path}/ran\n"})
    (tmp_path / "spy").chmod(0o755)
    for argv in (["init", "--quiet"], ["add", ".env"], ["config", "core.fsmonitor", str(tmp_path / "spy")]):
        subprocess.run(["git", "-C", str(tmp_path), *argv], check=True)
    assert env_examples.beside(tmp_path) == [EnvKey("MODE", "x")]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("test", "asks"),
    [
        (("CMD", "curl", "-f", "http://localhost:8000/health"), ("/health", 8000)),
        (("CMD-SHELL", "curl -f http://127.0.0.1:3000 || exit 1"), ("/", 3000)),
        (("CMD-SHELL", "wget --spider -q http://0.0.0.0:${PORT:-5000}/up?x=1"), ("/up", 5000)),
        (
            ("CMD", "python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8000/api/health')"),
            ("/api/health", 8000),
        ),
        (("CMD", "node", "-e", "require('http').get({host: 'localhost', port: 3, path: '/ok'}, (r) => {})"), ("/ok", 0)),
        (("CMD", "python", "-c", "import socket; s=socket.socket(); s.connect(('localhost',8001))"), ("tcp", 0)),
        (("CMD-SHELL", "nc -z localhost 5432"), ("tcp", 0)),
        (("CMD", "pg_isready", "-U", "x"), (["pg_isready", "-U", "x"], 0)),
        (("CMD-SHELL", "redis-cli ping | grep PONG"), (["sh", "-c", "redis-cli ping | grep PONG"], 0)),
        (("CMD", "pgrep", "-f", "python.*server"), (None, 0)),
        (("NONE",), ("none", 0)),
        ((), ("none", 0)),
    ],
)
def test_what_a_health_check_asks(test: tuple[str, ...], asks: tuple[object, int]) -> None:
    assert health.probe(test) == asks


def test_programs_are_known_by_their_packages(tmp_path: Path) -> None:
    make_files(
        tmp_path,
        {
            "page/package.json": '{"dependencies": {"next": "15"}, "scripts": {"start": "next start -p 3001"}}',
            "api/requirements.txt": "fastapi[standard]>=0.1\n# psycopg\nasyncpg==0.3\nprometheus_fastapi_instrumentator",
            "poetry/pyproject.toml": "[tool.poetry.dependencies]\nopenai = '1'\n[project]\ndependencies = ['Streamlit>1']",
            "broken/package.json": "{",
            "list/package.json": "[]",
        },
    )
    page, api, poetry = (projects.read(tmp_path / name) for name in ("page", "api", "poetry"))
    assert (page.page, page.usual_port, projects.port_in(page.scripts["start"])) == ("next", 3000, 3001)
    assert (api.page, api.usual_port, api.has_postgres_driver, api.metrics) == ("", 8000, True, "prometheus-fastapi-instrumentator")
    assert (poetry.page, poetry.calls_out) == ("streamlit", True)
    assert "package.json cannot be read" in projects.read(tmp_path / "broken").problems[0]
    assert projects.read(tmp_path / "list").packages == frozenset()


def test_code_tells_its_routes_and_what_it_reads(tmp_path: Path) -> None:
    make_files(
        tmp_path,
        {
            "main.py": """\
                import os
                @app.get("/health")
                async def health(): ...
                @app.get("/ready")
                async def ready(): ...
                @router.get("/status")
                def status(): ...
                A = os.getenv("MODEL", "x")
                B = os.environ["MUST"]
                os.environ["SET"] = "1"
                class Settings(BaseSettings):
                    database_url: str
                    api_key: str = Field(...)
                    debug: bool = False
                    model_config = {}
                """,
            "page/app/api/health/route.ts": "process.env.BACKEND_URL || 'x'",
            "node_modules/x/index.js": "process.env.NOT_OURS",
            "more.py": 'class S(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix="AGENT_")\n    token: str\n',
            "chat.py": 'client = AsyncOpenAI(\n    api_key=os.getenv("MODEL_KEY"),\n)\nother = Anthropic()\nthird = Groq(api_key=KEY)\n',
            "bad.py": "class X(BaseSettings",
        },
    )
    found = code.read(tmp_path)
    assert (found.live, found.ready) == ("/health", "/ready")
    assert found.names == {
        "MODEL": False,
        "MUST": True,
        "DATABASE_URL": True,
        "API_KEY": True,
        "DEBUG": False,
        "BACKEND_URL": False,
        "AGENT_TOKEN": True,
        "MODEL_KEY": True,
        "ANTHROPIC_API_KEY": True,
    }
    assert code.read(tmp_path / "page").live == "/api/health"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("OPENAI_API_KEY", "others"),
        ("GOOGLE_CLIENT_SECRET", "others"),
        ("SMTP_PASSWORD", "others"),
        ("JWT_SECRET", "own"),
        ("SECRET_KEY", "own"),
        ("BETTER_AUTH_SECRET", "own"),
        ("FIRST_SUPERUSER_PASSWORD", "own"),
        ("SERVICE_AUTH_TOKEN", "own"),
        ("ENCRYPTION_KEY", "formed"),
        ("SENTRY_DSN", "others"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "plain"),
        ("AGENT_TOKEN_BUDGET", "plain"),
        ("PASSWORD_MIN_LENGTH", "plain"),
        ("SECRET_NAME", "plain"),
        ("LOG_LEVEL", "plain"),
        ("NEXT_PUBLIC_CHATKIT_DOMAIN_KEY", "plain"),
        ("KEYBOARD", "plain"),
    ],
)
def test_what_a_name_tells(name: str, kind: str) -> None:
    found = "plain"
    if names.secret(name):
        found = "others" if names.of_others(name) else "own" if names.can_be_generated(name) else "formed"
    assert found == kind


@pytest.mark.parametrize("name", ["DATABASE_URL", "NEON_DB_URL", "PRISMA_DATABASE_URL", "POSTGRES_URI", "DATABASE_URL_UNPOOLED"])
def test_urls_of_databases(name: str) -> None:
    assert names.database_url(name)


@pytest.mark.parametrize("name", ["BACKEND_URL", "NEXT_PUBLIC_DATABASE_URL", "FEEDBACK_URL"])
def test_other_urls(name: str) -> None:
    assert not names.database_url(name)


def test_amounts() -> None:
    assert [quantities.memory(text, binary=True) for text in ("512M", "1g", "256mb", "0", "x", "1e9")] == [
        "512Mi",
        "1024Mi",
        "256Mi",
        "",
        "",
        "",
    ]
    assert [quantities.memory(text, binary=False) for text in ("512Mi", "1Gi", "512M")] == ["512Mi", "1024Mi", "488Mi"]
    assert [quantities.cpu(text) for text in ("0.5", "2", "250m", "0", "many")] == ["500m", "2000m", "250m", "", ""]

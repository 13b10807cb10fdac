"""What is drafted for small made-up apps, a test a kind of thing that real ones have."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core.errors import InputError
from scripts.discover import folder, manifests
from tests.discover.folders import API, NEXT, PAGE, draft_of, make_files, services_of, told

pytestmark = pytest.mark.unit

COMPOSE = """\
    services:
      page:
        build: {context: page, args: {NEXT_PUBLIC_API_URL: "${API:-http://localhost:8000}"}}
        ports: ["3000:3000"]
        environment: {PORT: 3000, BACKEND_URL: "http://api:8000", NEXT_PUBLIC_API_URL: "http://api:8000"}
        depends_on: [api]
      api:
        build: api
        command: uvicorn main:app --host 0.0.0.0 --port 8000 --reload
        ports: ["8000:8000"]
        volumes: ["./api:/app"]
        environment:
          DATABASE_URL: postgresql+asyncpg://shop:hunter2secret@db:5432/shopdb
          CACHE_URL: redis://cache:6379/0
          JWT_SECRET: not-to-be-copied
          OPENAI_API_KEY: ${OPENAI_API_KEY}
          CORS_ORIGINS: http://localhost:3000,http://page:3000
          LOG_LEVEL: ${LOG_LEVEL:-info}
          GREETING: ${GREETING}
        healthcheck: {test: "curl -f http://localhost:8000/health"}
      db:
        image: postgres:16
        environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: hunter2secret, POSTGRES_DB: shopdb}
        volumes: ["data:/var/lib/postgresql/data"]
      cache:
        image: redis:7-alpine
        volumes: ["cache:/data"]
    """
SHOP = {"compose.yaml": COMPOSE, "api/Dockerfile": API, "page/Dockerfile": PAGE, "page/package.json": NEXT}


def test_an_app_of_a_page_an_api_a_database_and_a_cache(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, SHOP)
    assert draft.services == {
        "page": {
            "context": "page",
            "build_args": {"NEXT_PUBLIC_API_URL": "{api.local_url}"},
            "port": 3000,
            "public": True,
            "env": {"BACKEND_URL": "{api.url}"},
            "probes": {"live": "/", "ready": "/"},
            "writable": {"/app/.next/cache": "128Mi"},
            "calls": ["api"],
        },
        "api": {
            "context": "api",
            "port": 8000,
            "public": True,
            "env": {"CACHE_URL": "redis://{cache}:{cache.port}/0", "CORS_ORIGINS": "{page.local_url},{page.url}", "LOG_LEVEL": "info"},
            "secrets": [
                {"DATABASE_URL": {"from": "DATABASE_URL", "scheme": "postgresql+asyncpg"}},
                "JWT_SECRET",
                "OPENAI_API_KEY",
                "GREETING",
            ],
            "probes": {"live": "/health", "ready": "/health"},
            "pages": {"/health": ""},
            "calls": ["cache", "postgres"],
            "internet": [443, 5432],
        },
        "cache": {
            "image": "redis:7-alpine",
            "user": 999,
            "port": 6379,
            "writable": {"/data": "256Mi"},
            "resources": {"limits": {"ephemeral-storage": "512Mi"}},
        },
    }
    keys = draft.keys
    assert keys["DATABASE_URL"].default == "postgresql://shop:{POSTGRES_PASSWORD}@{release}-postgres:5432/shopdb"
    assert [name for name, key in keys.items() if key.generate] == ["JWT_SECRET", "POSTGRES_PASSWORD"]
    assert [name for name, key in keys.items() if key.optional] == ["DATABASE_URL", "OPENAI_API_KEY", "GREETING"]
    assert draft.tester == "api"
    assert "hunter2secret" not in repr(draft)
    assert "not-to-be-copied" not in repr(draft)
    assert "the data in /data (the volume cache) goes with the pod" in told(draft)
    assert "./api" not in told(draft)


def test_a_page_without_an_argument_for_its_setting_is_told(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, {**SHOP, "page/Dockerfile": "FROM node:22\nUSER node\nCMD node server.js"})
    assert "build_args" not in draft.services["page"]
    assert "page: NEXT_PUBLIC_API_URL is built into the page, and the Dockerfile has no `ARG NEXT_PUBLIC_API_URL`" in told(draft)
    assert draft.services["api"]["public"]


def test_dockerfiles_alone_with_their_code_and_examples(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        {
            "backend/Dockerfile": "FROM python:3.12\nCOPY . .\nCMD uvicorn main:app --port 9000",
            "backend/requirements.txt": "fastapi\nasyncpg\nopenai\nprometheus-fastapi-instrumentator",
            "backend/main.py": "import os\nA = os.environ['SESSION_SECRET']\nB = os.getenv('MODEL')\n@app.get('/healthz')\ndef x(): ...",
            "backend/.env.example": "# where todos are\nDATABASE_URL=postgresql://user:password@localhost/db\nMODEL=gpt-4o\nOPENAI_API_KEY=sk-...",
            "frontend/Dockerfile": PAGE,
            "frontend/package.json": NEXT,
            "frontend/app/page.tsx": "process.env.NEXT_PUBLIC_API_URL",
        },
    )
    backend, frontend = draft.services["backend"], draft.services["frontend"]
    assert backend["user"] == 10001
    assert backend["port"] == 9000
    assert backend["env"] == {"MODEL": "gpt-4o"}
    assert backend["secrets"] == ["DATABASE_URL", "OPENAI_API_KEY", "SESSION_SECRET"]
    assert (backend["probes"], backend["metrics"]) == ({"live": "/healthz", "ready": "/healthz"}, "/metrics")
    assert backend["public"]
    assert frontend["build_args"] == {"NEXT_PUBLIC_API_URL": "{backend.local_url}"}
    assert draft.reasons["frontend", "build_args", "NEXT_PUBLIC_API_URL"] == "no file gives it a value; its name says so"
    assert draft.database


def test_a_worker_a_one_shot_service_and_a_named_user(tmp_path: Path) -> None:
    made = services_of(
        tmp_path,
        {
            "compose.yaml": """\
                services:
                  api:
                    build: api
                    depends_on: {migrate: {condition: service_completed_successfully}}
                  migrate: {build: api, command: [alembic, upgrade, head]}
                  worker: {build: worker, command: [python, work.py]}
                """,
            "api/Dockerfile": API,
            "worker/Dockerfile": "FROM python:3\nUSER 1001",
        },
    )
    assert made["api"]["init"] == {"migrate": ["alembic", "upgrade", "head"]}
    assert made.keys() == {"api", "worker"}
    assert "user" not in made["api"]
    assert made["worker"] == {"context": "worker", "args": ["python", "work.py"], "replicas": 1}


@pytest.mark.parametrize(
    ("service", "image", "bundled"),
    [
        ("{image: 'postgres:16'}", None, True),
        ("{image: 'docker.io/bitnami/postgresql:16'}", None, True),
        ("{image: 'pgvector/pgvector:pg16'}", "pgvector/pgvector:pg16", False),
        ("{image: 'postgres:16', volumes: ['./sql:/docker-entrypoint-initdb.d']}", "postgres:16", False),
    ],
)
def test_which_postgres_is_the_bundled_one(tmp_path: Path, service: str, image: str | None, bundled: bool) -> None:
    text = f"services: {{api: {{build: api, environment: [DB_HOST=db]}}, db: {service}}}"
    draft = draft_of(tmp_path, {"compose.yaml": text, "api/Dockerfile": API})
    assert draft.database == bundled
    assert draft.services.get("db", {}).get("image") == image
    assert draft.services["api"]["env"] == {"DB_HOST": "{postgres}" if bundled else "{db}"}
    assert draft.services["api"]["calls"] == ["postgres" if bundled else "db"]


def test_a_secret_within_a_value_and_within_a_command(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        {
            "compose.yaml": """\
                services:
                  api: {build: api, environment: ["REDIS_URL=redis://:${REDIS_PASSWORD}@redis:6379/0"]}
                  redis: {image: "redis:7", command: "redis-server --requirepass ${REDIS_PASSWORD:-foobared99}"}
                """,
            "api/Dockerfile": API,
        },
    )
    assert draft.services["api"]["secrets"] == ["REDIS_URL"]
    assert draft.keys["REDIS_URL"].default == "redis://:{REDIS_PASSWORD}@{release}-redis:6379/0"
    assert draft.services["redis"]["command"] == ["sh", "-c", 'exec redis-server --requirepass "$REDIS_PASSWORD"']
    assert draft.services["redis"]["secrets"] == ["REDIS_PASSWORD"]
    assert "foobared99" not in repr(draft)


def test_local_ports_do_not_meet_and_are_above_1024(tmp_path: Path) -> None:
    made = services_of(
        tmp_path,
        {
            "compose.yaml": """\
                services:
                  one: {build: page, ports: ["80:3000"]}
                  two: {build: page, ports: ["3000"]}
                  three: {build: page, ports: ["3000:3000"]}
                """,
            "page/Dockerfile": PAGE,
            "page/package.json": NEXT,
        },
    )
    assert [each.get("local_port", each["port"]) for each in made.values()] == [8080, 3000, 3001]


def test_names_are_such_that_a_service_can_have(tmp_path: Path) -> None:
    names = ("My_App", "test", "my-app", "12", "the-very-long-name-of-a-service", "s3", "2web2", "web1")
    text = "services: {" + ", ".join(f"{name}: {{image: 'a:1'}}" for name in names) + "}"
    made = list(services_of(tmp_path, {"compose.yaml": text}))
    assert made == ["my-app", "test-app", "my-app-2", "app", "name-of-a-service", "s3", "web2", "web1"]


@pytest.mark.parametrize("context", ["nowhere", "x" * 5000, "/dev/null", "a\u0000b"])
def test_a_context_that_is_not_there_is_told(tmp_path: Path, context: str) -> None:
    draft = draft_of(tmp_path, {"compose.yaml": f"services: {{api: {{build: {{context: {context!r}}}, env_file: {context!r}}}}}"})
    assert draft.services.keys() == {"api"}
    assert "is not there" in told(draft)


def test_a_sqlite_database_is_put_where_it_can_be_written(tmp_path: Path) -> None:
    text = "services: {api: {build: api, environment: ['DATABASE_URL=${DATABASE_URL:-sqlite:///./shop.db}']}}"
    draft = draft_of(tmp_path, {"compose.yaml": text, "api/Dockerfile": API})
    api = draft.services["api"]
    assert (api["env"], api["writable"], api["replicas"]) == ({"DATABASE_URL": "sqlite:////data/shop.db"}, {"/data": "256Mi"}, 1)
    assert "goes with the pod" in told(draft)


def test_what_no_pod_gets_is_left_out_and_told(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        {
            "compose.yaml": """\
                services:
                  proxy: {image: "traefik:3", volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}
                  adminer: {image: adminer}
                  api: {build: api, volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro", "./api/.env:/app/.env"]}
                """,
            "api/Dockerfile": API,
        },
    )
    assert draft.services.keys() == {"api"}
    assert "proxy: is left out: it wants the Docker daemon's socket" in told(draft)
    assert "adminer: is left out" in told(draft)
    assert "./nginx.conf is mounted as /etc/nginx/nginx.conf" in told(draft)
    assert ".env is mounted" not in told(draft)


MANIFESTS = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: shop-backend}
    spec:
      replicas: 3
      template:
        metadata: {labels: {app: backend}}
        spec:
          containers:
          - name: backend
            image: shop-backend:latest
            ports: [{containerPort: 8000}]
            env:
            - {name: LOG_LEVEL, value: info}
            - {name: MODEL, valueFrom: {configMapKeyRef: {name: settings, key: model}}}
            - {name: API_KEY, valueFrom: {secretKeyRef: {name: secrets, key: api-key}}}
            - {name: MODE, valueFrom: {secretKeyRef: {name: secrets, key: mode}}}
            livenessProbe: {httpGet: {path: /live, port: 8000}}
            readinessProbe: {httpGet: {path: /ready, port: 8000}}
            resources: {limits: {memory: 512Mi, cpu: 500m}}
    ---
    {apiVersion: v1, kind: Service, metadata: {name: backend-svc}, spec: {selector: {app: backend}}}
    ---
    {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {model: gpt-4o}}
    ---
    {apiVersion: v1, kind: Secret, metadata: {name: secrets}, stringData: {api-key: realsecretvalue, mode: fast}}
    """


def test_manifests_know_better_than_the_compose_file(tmp_path: Path) -> None:
    text = "services: {backend: {build: api, environment: [A=1]}}"
    made = services_of(tmp_path, {"compose.yaml": text, "api/Dockerfile": API, "k8s/all.yaml": MANIFESTS})
    assert made["backend"]["probes"] == {"live": "/live", "ready": "/ready"}
    assert made["backend"]["resources"] == {"limits": {"cpu": "500m", "memory": "512Mi"}}
    assert made["backend"]["env"] == {"A": "1"}


def test_manifests_and_dockerfiles_make_services_of_their_own(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, {"backend/Dockerfile": API, "k8s/all.yaml": MANIFESTS})
    assert draft.services.keys() == {"backend"}
    backend = draft.services["backend"]
    assert backend["context"] == "backend"
    assert backend["env"] == {"LOG_LEVEL": "info", "MODEL": "gpt-4o", "MODE": "fast"}
    assert backend["secrets"] == ["API_KEY"]
    assert "replicas" not in backend
    assert "realsecretvalue" not in repr(draft)


def test_a_dockerfile_is_found_by_any_folder_that_it_lies_in(tmp_path: Path) -> None:
    files = {"backend/shop-app/Dockerfile": API, "backend/shop-app/package.json": NEXT, "worker/backend-tools/Dockerfile": API}
    draft = draft_of(tmp_path, {**files, "k8s/all.yaml": MANIFESTS})
    assert draft.services["backend"]["context"] == "backend/shop-app"
    assert "without a Dockerfile" not in told(draft)


def test_the_keys_of_a_secret_that_no_file_holds_are_those_that_the_code_reads(tmp_path: Path) -> None:
    elsewhere = MANIFESTS.replace("            env:\n", "            envFrom: [{secretRef: {name: made-by-hand}}]\n            env:\n")
    code = 'os.getenv("DATABASE_URL")\nos.getenv("SESSION_SECRET")\nos.getenv("COLOUR")\n'
    files = {"backend/Dockerfile": API, "backend/main.py": code}
    assert services_of(tmp_path, {**files, "k8s/all.yaml": MANIFESTS})["backend"]["secrets"] == ["API_KEY"]
    made = services_of(tmp_path, {**files, "k8s/all.yaml": elsewhere})["backend"]
    assert made["secrets"] == ["API_KEY", "DATABASE_URL", "SESSION_SECRET"]
    assert "COLOUR" not in made["env"]


def test_a_key_of_somebody_else_that_the_code_reads_may_be_given(tmp_path: Path) -> None:
    text = "services: {api: {build: api, environment: [A=1]}}"
    code = 'os.getenv("GROQ_API_KEY")\nos.getenv("SESSION_SECRET")\n'
    draft = draft_of(tmp_path, {"compose.yaml": text, "api/Dockerfile": API, "api/main.py": code})
    assert draft.services["api"]["secrets"] == ["GROQ_API_KEY"]
    assert draft.keys["GROQ_API_KEY"].optional


def test_a_chart_is_rendered_and_one_that_cannot_be_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"backend/Dockerfile": API, "charts/shop/Chart.yaml": "name: shop"}
    monkeypatch.setattr(manifests, "rendered", lambda _: MANIFESTS.replace("\n    ", "\n").strip())
    assert services_of(tmp_path, files)["backend"]["probes"] == {"live": "/live", "ready": "/ready"}

    def fail(_: Path) -> str:
        raise InputError("helm is not installed")

    monkeypatch.setattr(manifests, "rendered", fail)
    assert "charts/shop: the chart could not be rendered" in told(draft_of(tmp_path, files))


def test_names_of_this_machine_lead_to_the_service_behind_its_port(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        {
            "compose.yaml": """\
                services:
                  api: {build: api, environment: ["BROKERS=host.docker.internal:19092", "OTHER=host.docker.internal:1"]}
                  kafka: {image: "kafka:4", ports: ["19092:9092"]}
                """,
            "api/Dockerfile": API,
        },
    )
    assert draft.services["api"]["env"] == {"BROKERS": "{kafka}:{kafka.port}", "OTHER": "host.docker.internal:1"}
    assert "OTHER names this machine itself" in told(draft)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"README.md": ""}, "nothing in"),
        ({"api/requirements.txt": "fastapi"}, "nothing in"),
        ({"one/compose.yaml": "", "two/compose.yaml": ""}, "holds several apps"),
        ({"one/api/Dockerfile": API, "two/api/Dockerfile": API}, "holds several apps"),
        ({"compose.yaml": "a: ["}, "compose.yaml is not YAML"),
    ],
)
def test_where_nothing_can_be_made_one_error_says_what_to_do(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(InputError) as error:
        folder.look(make_files(tmp_path, files))
    assert says in error.value.cause
    assert error.value.action


@pytest.mark.parametrize(
    ("files", "init"),
    [
        ({}, ["alembic", "upgrade", "head"]),
        ({"api/scripts/prestart.sh": "set -e\nalembic upgrade head\npython seed.py\n"}, ["bash", "scripts/prestart.sh"]),
        ({"api/start.sh": "alembic upgrade head\nexec uvicorn main:app\n"}, ["alembic", "upgrade", "head"]),
        (
            {"api/prestart.sh": "alembic upgrade head\n", "api/scripts/migrate.sh": "uv run alembic upgrade head\n"},
            ["alembic", "upgrade", "head"],
        ),
        ({"api/main.py": "from alembic import command\ncommand.upgrade(config, 'head')\n"}, None),
        ({"api/Dockerfile": f"{API}\nCMD alembic upgrade head && uvicorn main:app\n"}, None),
    ],
    ids=["nothing", "a script", "a script that serves", "two scripts", "the program itself", "what starts it"],
)
def test_migrations_that_nothing_runs_run_before_the_first_service_that_has_them(
    tmp_path: Path, files: dict[str, str], init: list[str] | None
) -> None:
    compose = "services: {api: {build: api}, worker: {build: api, command: work}}"
    made = draft_of(tmp_path, {"compose.yaml": compose, "api/Dockerfile": API, "api/alembic.ini": "", **files}).services
    assert made["api"].get("init") == (init and {"migrate": init})
    assert "init" not in made["worker"]


def test_programs_and_files_that_nothing_deploys_are_told(tmp_path: Path) -> None:
    draft = draft_of(
        tmp_path,
        {
            "compose.yaml": "services: {api: {build: api}, worker: {build: api, command: work}}",
            "compose.override.yaml": "services: {}",
            "api/Dockerfile": API,
            "api/Dockerfile.worker": API,
            "web/package.json": NEXT,
            "api/package.json": "{",
        },
    )
    for line in (
        "compose.override.yaml: was not read",
        "api/Dockerfile.worker: is used by no service",
        "web: is a program without a Dockerfile",
        "api: package.json cannot be read",
    ):
        assert line in told(draft)

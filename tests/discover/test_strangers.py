"""What the apps of strangers taught: each case is a small one of its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core.errors import InputError
from scripts.discover import folder
from tests.discover.folders import API, NEXT, PAGE, draft_of, make_files, services_of, told

pytestmark = pytest.mark.unit

SERVER = """\
    services:
      api:
        build: api
        ports: ["8000:8000"]
        environment: {DB_HOST: db, DB_USER: shop, DB_PASSWORD: "%s"}
      db:
        image: %s
        environment: {%s: "%s"}
    """


@pytest.mark.parametrize("password", ["a-password", "${DB_PASS}", "${DB_PASS:-a-password}"])
@pytest.mark.parametrize(
    ("image", "name", "key"),
    [("postgres:16", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD"), ("mysql:8.4", "MYSQL_PASSWORD", "MYSQL_PASSWORD")],
)
def test_who_logs_in_has_the_password_of_the_server(tmp_path: Path, password: str, image: str, name: str, key: str) -> None:
    draft = draft_of(tmp_path, {"compose.yaml": SERVER % (password, image, name, password), "api/Dockerfile": API})
    wanted = "DB_PASS" if "$" in password and "mysql" in image else key
    assert draft.services["api"]["secrets"] == [{"DB_PASSWORD": wanted}]
    if "mysql" in image:
        assert draft.services["db"]["secrets"] == [name if wanted == name else {name: wanted}]
    assert draft.keys[wanted].generate
    assert set(draft.keys) == ({wanted} if "mysql" in image else {wanted, "DATABASE_URL"})
    assert "a-password" not in repr(draft)


def test_the_bundled_postgres_runs_for_who_names_it_by_its_host_alone(tmp_path: Path) -> None:
    """What decides whether it runs is a key with its URL as the default."""
    files = {"compose.yaml": SERVER % ("a-password", "postgres:16", "POSTGRES_USER", "shop"), "api/Dockerfile": API}
    draft = draft_of(tmp_path, files)
    assert draft.keys["DATABASE_URL"].default == "postgresql://shop:{POSTGRES_PASSWORD}@{release}-postgres:5432/shop"
    assert not any("DATABASE_URL" in service.get("secrets", []) for service in draft.services.values())


def test_other_passwords_stay_apart(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, {"compose.yaml": SERVER % ("one", "mysql:8.4", "MYSQL_PASSWORD", "another"), "api/Dockerfile": API})
    assert draft.services["api"]["secrets"] == ["DB_PASSWORD"]


def test_a_compose_file_that_runs_images_is_the_app(tmp_path: Path) -> None:
    """A Dockerfile for developers beside it makes no second app, and does not take the name of the first."""
    compose = "services: {app: {image: 'shop/shop:1.2', ports: ['9000:9000']}, db: {image: 'postgres:16'}}"
    draft = draft_of(tmp_path, {"compose.yaml": compose, "dev/app.Dockerfile": API})
    assert list(draft.services) == ["app"]
    assert draft.services["app"]["image"] == "shop/shop:1.2"
    assert "dev/app.Dockerfile: is used by no service of compose.yaml" in told(draft)


def test_an_app_that_is_an_image_can_be_opened_and_logs_in(tmp_path: Path) -> None:
    compose = """\
        services:
          app:
            image: shop/shop:1.2
            ports: ["9000:9000"]
            environment: {SHOP_DB_HOST: db, SHOP_DB_PASSWORD: a-password}
          db: {image: "postgres:16", ports: ["5432:5432"], environment: {POSTGRES_PASSWORD: a-password}}
        """
    app = services_of(tmp_path, {"compose.yaml": compose})["app"]
    assert app["public"] is True
    assert app["secrets"] == [{"SHOP_DB_PASSWORD": "POSTGRES_PASSWORD"}]


def test_a_compose_file_of_servers_alone_leaves_the_app_to_its_dockerfiles(tmp_path: Path) -> None:
    compose = "services: {db: {image: 'postgres:16'}, cache: {image: 'redis:8'}}"
    draft = draft_of(tmp_path, {"compose.yaml": compose, "api/Dockerfile": API, "cache/Dockerfile": API})
    assert sorted(draft.services) == ["api", "cache"]
    assert draft.services["cache"]["image"] == "redis:8"
    assert "cache/Dockerfile: is used by no service: compose.yaml has another `cache`" in told(draft)


def test_migrations_that_a_service_waits_for_are_its_init_command(tmp_path: Path) -> None:
    compose = """\
        services:
          api: {build: api, ports: ["8000:8000"], depends_on: [migrate]}
          migrate: {build: api, command: python migrate_db.py}
        """
    services = services_of(tmp_path, {"compose.yaml": compose, "api/Dockerfile": API})
    assert list(services) == ["api"]
    assert services["api"]["init"] == {"migrate": ["python", "migrate_db.py"]}


def test_a_worker_of_the_same_image_is_no_migration(tmp_path: Path) -> None:
    compose = """\
        services:
          api: {build: api, ports: ["8000:8000"], depends_on: [worker]}
          worker: {build: api, command: celery -A shop worker}
        """
    assert list(services_of(tmp_path, {"compose.yaml": compose, "api/Dockerfile": API})) == ["api", "worker"]


def test_what_compose_reads_itself_is_no_setting(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services: {api: {build: api, env_file: .env}}",
        ".env": "COMPOSE_PROJECT_NAME=shop\nCOMPOSE_PROFILES=all\nDOCKER_BUILDKIT=1\nLEVEL=info\n",
        "api/Dockerfile": API,
    }
    draft = draft_of(tmp_path, files)
    assert "COMPOSE" not in repr(draft.services)
    assert "BUILDKIT" not in repr(draft.services)


def test_what_the_image_has_is_not_asked_for(tmp_path: Path) -> None:
    """By its Dockerfile, by its base image, or by its framework."""
    code = "import os\nos.environ['LEVEL']\nos.environ['PYTHON_VERSION']\nos.environ['NEEDED']\n"
    files = {"api/Dockerfile": API + "    ENV LEVEL=info\n", "api/main.py": code}
    assert set(draft_of(tmp_path, files).keys) == {"NEEDED"}


def test_the_address_that_create_react_app_fills_in_is_none_of_ours(tmp_path: Path) -> None:
    react = '{"dependencies": {"react-scripts": "5.0.1"}, "scripts": {"start": "react-scripts start"}}'
    draft = draft_of(tmp_path, {"page/Dockerfile": PAGE, "page/package.json": react, "page/src/a.js": "fetch(process.env.PUBLIC_URL)"})
    assert "PUBLIC_URL is built" not in told(draft)


def test_mounted_files_that_the_image_has_are_dropped(tmp_path: Path) -> None:
    compose = """\
        services:
          page:
            build: page
            volumes: ["./page/package.json:/srv/package.json", "./page:/srv", "./site.conf:/etc/site.conf"]
        """
    page = "FROM node:22\nWORKDIR /srv\nCOPY package.json package-lock.json* ./\nWORKDIR /srv/app\nCOPY . .\nUSER node\nEXPOSE 3000\n"
    said = told(draft_of(tmp_path, {"compose.yaml": compose, "page/Dockerfile": page, "page/package.json": NEXT}))
    assert "package.json" not in said
    assert "/srv " not in said
    assert "./site.conf is mounted as /etc/site.conf" in said


def test_an_image_that_only_a_chart_names_and_nothing_makes(tmp_path: Path) -> None:
    manifest = """\
        kind: Deployment
        metadata: {name: api}
        spec: {template: {spec: {containers: [{image: "shop-api:local", ports: [{containerPort: 8000}]}]}}}
        """
    said = told(draft_of(tmp_path, {"k8s/api.yaml": manifest, "page/Dockerfile": PAGE}))
    assert "api: shop-api:local stands in Kubernetes manifests, and no Dockerfile here makes it" in said


def test_one_app_in_a_folder_below_is_named(tmp_path: Path) -> None:
    make_files(tmp_path, {"apps/web/compose.yaml": "services: {web: {image: 'nginx:1.29'}}"})
    with pytest.raises(InputError, match="holds its app in a folder below"):
        folder.look(tmp_path)

"""Each service gets the keys that it lists, under a name that changes with their content."""

import json

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from scripts.config.env_file import EnvFile
from scripts.config.services import Service, ServiceName, Variable
from scripts.config.settings import KubeContext, Settings, load_settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.desired import secrets

pytestmark = pytest.mark.unit


def env(**values: str) -> EnvFile:
    return EnvFile(ROOT / ".env", {key: SecretStr(value) for key, value in values.items()})


def test_a_service_gets_its_keys_and_no_others() -> None:
    made = {
        s.service: s
        for s in secrets.desired_secrets(load_settings(), env(POSTGRES_PASSWORD="p@ss/word", API_TOKEN="token", GEMINI_API_KEY=""))
    }
    assert {name: secret.keys for name, secret in made.items()} == {
        "backend": ("API_TOKEN", "DATABASE_URL"),
        "frontend": ("API_TOKEN",),
        "postgres": ("POSTGRES_PASSWORD",),
    }
    assert made["backend"].values["DATABASE_URL"] == "postgresql://todo:p%40ss%2Fword@todo-chatbot-postgres:5432/todo"


def test_no_postgres_of_our_own_where_a_database_is_named() -> None:
    made = secrets.desired_secrets(load_settings(), env(POSTGRES_PASSWORD="unused", DATABASE_URL="postgresql://u:p@neon/db"))
    assert [secret.service for secret in made] == ["backend"]


def test_the_name_changes_with_a_value_of_that_service_alone() -> None:
    first = {
        s.service: s.name
        for s in secrets.desired_secrets(load_settings(), env(POSTGRES_PASSWORD="same", API_TOKEN="one1", GEMINI_API_KEY="k1k1"))
    }
    again = {
        s.service: s.name
        for s in secrets.desired_secrets(load_settings(), env(POSTGRES_PASSWORD="same", API_TOKEN="one1", GEMINI_API_KEY="k1k1"))
    }
    other = {
        s.service: s.name
        for s in secrets.desired_secrets(load_settings(), env(POSTGRES_PASSWORD="same", API_TOKEN="one1", GEMINI_API_KEY="k2k2"))
    }
    assert first == again
    assert [name for name in first if first[name] != other[name]] == ["backend"]


def test_the_manifest_is_immutable_and_the_representation_empty() -> None:
    secret = secrets.Secret("backend", "todo-chatbot-backend-0", {"API_TOKEN": "hidden-value"})
    manifest = json.loads(secret.manifest("todo-chatbot", {"a": "b"}))
    assert manifest["immutable"] is True
    assert manifest["stringData"] == {"API_TOKEN": "hidden-value"}
    assert manifest["metadata"]["namespace"] == "todo-chatbot"
    assert "hidden-value" not in repr(secret)


def test_a_secret_ends_where_kubernetes_ends_it() -> None:
    fits = {"API_TOKEN": "t" * (secrets.LARGEST - 1004), "POSTGRES_PASSWORD": "unused", "GEMINI_API_KEY": "g" * 999}
    url = {"DATABASE_URL": "DB_UR"}
    assert secrets.desired_secrets(load_settings(), env(**fits, **url))
    with pytest.raises(InputError, match=r"the values of backend add up to 1024 KiB, and a Secret holds at most 1024 KiB\n.*API_TOKEN"):
        secrets.desired_secrets(load_settings(), env(**{**fits, "GEMINI_API_KEY": "g" * 1000}, **url))


@pytest.mark.parametrize(
    ("scheme", "form"),
    [
        ("postgresql+psycopg", "postgresql+psycopg://u:p%40@h:1/d?sslmode=require&channel_binding=require"),
        ("postgresql+asyncpg", "postgresql+asyncpg://u:p%40@h:1/d?ssl=require"),
        ("postgres", "postgres://u:p%40@h:1/d?sslmode=require&channel_binding=require"),
    ],
)
def test_a_service_gets_a_database_url_in_the_form_that_it_asks_for(scheme: str, form: str) -> None:
    assert secrets.with_scheme("postgresql://u:p%40@h:1/d?sslmode=require&channel_binding=require", scheme) == form
    assert secrets.with_scheme("postgresql+asyncpg://u:p@h/d", scheme) == f"{scheme}://u:p@h/d"


def test_one_variable_has_two_values_for_two_services() -> None:
    key, other = Variable("DATABASE_URL", "DATABASE_URL"), Variable("DATABASE_URL", "API_TOKEN")
    settings = load_settings()
    services = {
        "one": Service(image="a:1").model_copy(update={"secrets": (key,)}),
        "two": Service(image="a:1").model_copy(update={"secrets": (other, Variable("URL", "DATABASE_URL", "postgres"))}),
    }
    url = "postgresql://u:p@h/d"
    one, two = secrets.desired_secrets(settings.model_copy(update={"services": services}), env(DATABASE_URL=url, API_TOKEN="token"))
    assert one.values == {"DATABASE_URL": url}
    assert two.values == {"DATABASE_URL": "token", "URL": "postgres://u:p@h/d"}


def registry_settings(registry: str, login: str = "REGISTRY_LOGIN") -> Settings:
    wanted = KubeContext(context="theirs", registry=registry, registry_login=login)
    return load_settings().model_copy(update={"kube_context": wanted})


def test_nodes_log_in_to_a_registry_as_docker_would() -> None:
    made = secrets.pull_secret(registry_settings("r.example:5000/team"), env(REGISTRY_LOGIN="me:pa:ss"))
    assert made
    manifest = json.loads(made.manifest("todo-chatbot", {}))
    assert manifest["type"] == "kubernetes.io/dockerconfigjson"
    config = json.loads(manifest["stringData"][".dockerconfigjson"])
    assert config == {"auths": {"r.example:5000": {"username": "me", "password": "pa:ss"}}}
    assert secrets.is_pull_secret(made.name)
    other = secrets.pull_secret(registry_settings("r.example:5000/team"), env(REGISTRY_LOGIN="me:other"))
    assert other
    assert other.name != made.name


@pytest.mark.parametrize(
    ("registry", "key", "login"), [("", "REGISTRY_LOGIN", "me:pass"), ("r.example", "", "me:pass"), ("r.example", "REGISTRY_LOGIN", "")]
)
def test_nodes_that_need_no_login_get_none(registry: str, key: str, login: str) -> None:
    assert secrets.pull_secret(registry_settings(registry, key), env(REGISTRY_LOGIN=login)) is None


def test_no_service_can_have_the_name_of_the_login() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ServiceName).validate_python(secrets.PULL)

"""What is said of services is judged as a whole: every problem at once, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.config.services import Service, Variable, filled
from scripts.config.settings import Settings, load_settings, parse_settings
from scripts.core.errors import InputError
from scripts.core.paths import ROOT
from scripts.desired.service_values import derived_values

pytestmark = pytest.mark.unit

RAW = yaml.safe_load((ROOT / "invoke.yaml").read_text())
CACHE = {"image": "redis:8-alpine", "port": 6379}


def settings_of(services: dict[str, Any], **rest: Any) -> Settings:
    raw = {**RAW, "services": services, "smoke": None, "chart": {**RAW["chart"], "values": {}}, **rest}
    return parse_settings(yaml.safe_dump(raw))


def problems(services: dict[str, Any], **rest: Any) -> list[str]:
    with pytest.raises(InputError) as error:
        settings_of(services, **rest)
    return [str(error.value).splitlines()[0], *error.value.evidence]


def refusal(services: dict[str, Any], **rest: Any) -> str:
    return "\n".join(problems(services, **rest))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM python:3.13\n")
    return tmp_path


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    told = refusal(
        {
            "nowhere": {"context": "../no/such/folder", "port": 1},
            "one": {"context": str(folder), "port": 8000, "public": True},
            "two": {"context": str(folder), "port": 3000, "local_port": 8000, "calls": ["on"]},
            "cache": {"image": "redis", "port": 6379},
            "worker": {"context": str(folder), "probes": {"live": "/health"}},
            "mistyped": {"context": str(folder), "port": "eight"},
        }
    )
    for each in (
        "services.nowhere.context: ../no/such/folder does not exist, or is not a folder",
        "services.two.local_port: 8000 is taken by one",
        "services.two.calls: there is no service `on` (did you mean `one`?)",
        "services.cache.image: redis has neither a tag nor a digest",
        "services.worker.probes.live: the service has no port; write a command, or none",
        "services.mistyped.port: input should be a valid integer, not 'eight'",
    ):
        assert each in told
    assert "6 problems" in told


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"context": "app"}, "services.cache: name one of context (what is built) and image (what is taken), not both"),
        ({"image": None}, "services.cache: name one of context (what is built) and image (what is taken)"),
        ({"image": "redis:latest"}, "services.cache.image: redis:latest has the tag latest"),
        ({"image": "Redis:8"}, "services.cache.image: Redis:8 is not an image name"),
        ({"target": "x"}, "services.cache.target: is for what is built, and not beside image"),
        ({"user": 0}, "services.cache.user: write a number above 0"),
        ({"probes": {"ready": 3}}, "services.cache.probes.ready: write a path that begins with /, tcp, none, or a command"),
        ({"secrets": [{"A": "API_TOKN"}]}, "services.cache.secrets: `API_TOKN` is not under env (did you mean `API_TOKEN`?)"),
        ({"secrets": [{"A": 3}]}, "services.cache.secrets.0: write KEY, or {NAME: KEY}"),
        (
            {"secrets": [{"A": {"from": "API_TOKEN", "scheme": "postgresql"}}]},
            "services.cache.secrets.A: a scheme is for keys whose format",
        ),
        ({"secrets": ["API_TOKEN", {"API_TOKEN": "GEMINI_API_KEY"}]}, "services.cache.secrets.API_TOKEN: the service has a variable"),
        ({"env": {"PORT": "1"}}, "services.cache.env.PORT: it is the service's port; leave it out"),
        ({"env": {"A": "{cach}"}}, "services.cache.env.A: {cach} names no service (did you mean `cache`?)"),
        ({"env": {"A": "{cache.prot}"}}, "services.cache.env.A: {cache.prot} is none of {cache.port}, {cache.url}, {cache.local_url}"),
        ({"env": {"A": "{cache.local_url}"}}, "services.cache.env.A: cache has no fixed port on this machine"),
        ({"env": {"A": 3}}, "services.cache.env.A: input should be a valid string, not 3"),
        ({"replicas": 2, "autoscaling": {}}, "services.cache.replicas: is a fixed number, and not beside autoscaling"),
        ({"autoscaling": {"min": 5}}, "services.cache.autoscaling: min 5 is above max 4"),
        ({"calls": ["cache"]}, "services.cache.calls: cache is the service itself"),
        ({"port": None, "public": True}, "services.cache.public: the service has no port"),
        ({"port": None, "metrics": "/metrics"}, "services.cache.metrics: the service has no port"),
        ({"init": "alembic upgrade head"}, "services.cache.init: write a command as a list of words in quotes"),
        ({"writable": {"/data": "1 GB"}}, "services.cache.writable./data: string should match pattern"),
        ({"healt": "/"}, "services.cache.healt: unknown key"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], says: str) -> None:
    assert says in refusal({"cache": {**CACHE, **changes}})


def test_a_name_that_the_chart_uses_or_cannot_take_is_refused() -> None:
    assert "services.postgres: the chart uses this name itself" in refusal({"postgres": CACHE})
    assert "services.a-name-of-more-than-twenty: string should match pattern" in refusal({"a-name-of-more-than-twenty": CACHE})


def test_a_build_knows_addresses_on_this_machine_alone(folder: Path) -> None:
    api = {"context": str(folder), "port": 8000, "public": True}
    page = {**api, "port": 3000, "build_args": {"URL": "{api.url}"}}
    assert "services.page.build_args.URL: an image serves every cluster" in refusal({"api": api, "page": page})


def test_without_a_database_of_ours_nothing_may_count_on_it() -> None:
    told = refusal({"cache": {**CACHE, "calls": ["postgres"]}}, database=None)
    assert "services.cache.calls: postgres is the bundled database, and there is no `database`" in told
    assert "env.DATABASE_URL.default: it is for the bundled Postgres, and there is no `database`" in told
    env = {key: {**rule, "default": ""} for key, rule in RAW["env"].items()}
    assert settings_of({"cache": CACHE}, database=None, env=env).database is None


DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("image", ["redis:8", f"redis@{DIGEST}", f"r.example:5000/a/redis:latest@{DIGEST}", "localhost:5000/r:1"])
def test_an_image_is_named_by_a_tag_a_digest_or_both(image: str) -> None:
    assert settings_of({"cache": {**CACHE, "image": image}}).services["cache"].image == image


def test_a_context_may_lie_anywhere_and_its_dockerfile_beside_it(folder: Path) -> None:
    made = settings_of({"api": {"context": str(folder), "port": 1}}).services["api"]
    assert made.file() == folder / "Dockerfile"
    assert Service(context="../elsewhere").folder() == ROOT.parent / "elsewhere"
    assert Service(context="~/elsewhere").folder() == Path.home() / "elsewhere"


def test_what_is_left_out_has_a_meaning() -> None:
    web, worker = Service(image="a:1", port=80, public=True), Service(image="a:1")
    assert (web.probe("live"), web.probe("ready"), web.wanted_local_port, web.asked_pages) == ({"tcp": True}, {"tcp": True}, 80, {"/": ""})
    assert (worker.probe("live"), worker.wanted_local_port, worker.asked_pages) == ({}, 0, {})
    assert Service(image="a:1", port=80).wanted_local_port == 0, "any port that is free"


def test_a_secret_may_have_another_name_or_another_form() -> None:
    given = ["A", {"B": "A"}, {"C": {"from": "A", "scheme": "postgresql+asyncpg"}}]
    assert Service.model_validate({"image": "a:1", "secrets": given}).secrets == (
        Variable("A", "A"),
        Variable("B", "A"),
        Variable("C", "A", "postgresql+asyncpg"),
    )


@pytest.mark.parametrize(
    ("text", "filled_in"),
    [
        ("redis://{api}:6379/0", "redis://host:6379/0"),
        ("{api.url}/x", "URL/x"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{{message}} {{ .Name }}", "{{message}} {{ .Name }}"),
        (r"\{message}", "{message}"),
        ("$" + "{HOME}", "$" + "{HOME}"),
    ],
)
def test_only_references_to_services_are_filled_in(text: str, filled_in: str) -> None:
    assert filled(text, {("api", "host"): "host", ("api", "url"): "URL"}) == filled_in


def test_our_own_app_is_one_of_many() -> None:
    assert load_settings().services


def test_fifty_services_are_judged_and_described() -> None:
    one = {**RAW["services"]["backend"], "calls": ["postgres"]}
    services = {f"s{n}": {**one, "local_port": 20000 + n, "env": {"NEXT": f"{{s{(n + 1) % 50}.url}}"}} for n in range(50)}
    settings = settings_of(services)
    assert len(derived_values(settings)["services"]) == 50
    assert derived_values(settings)["services"]["s49"]["env"]["NEXT"] == "http://todo-chatbot-s0:8000"
    assert len(problems({**services, "s0": {**services["s0"], "local_port": 20001}})) == 1


def dev_problems(folder: Path, **dev: Any) -> str:
    (folder / "src").mkdir(exist_ok=True)
    return refusal({"one": {"context": str(folder), "dev": dev}})


def test_what_dev_says_is_judged(folder: Path) -> None:
    assert "services.one.dev.command: is missing" in dev_problems(folder, sync={"src": "/app"})
    assert "services.one.dev.rebuild: says something about sync, and there is none" in dev_problems(folder, rebuild=["src"])
    both = dev_problems(folder, sync={"nothing": "/app", "src": "/app/src/", "..": "/srv"}, command=["run"], rebuild=["lib"])
    for each in (
        f"sync: nothing is not a folder in {folder}",
        f"sync: .. is not a folder in {folder}",
        "sync.src: /app/src/ lies within another of these folders",
        "rebuild: lib lies in no folder of sync",
    ):
        assert f"services.one.dev.{each}" in both
    assert "services.cache.dev.on_host: is for what is built" in refusal({"cache": {**CACHE, "dev": {"on_host": ["redis"]}}})
    assert settings_of({"one": {"context": str(folder), "dev": {"sync": {"src": "/app"}, "command": ["run"], "rebuild": ["src/a"]}}})


@pytest.mark.parametrize(
    ("one", "two", "says"),
    [
        ({}, {"public": True}, "services.two.public_path: / leads to one; give one of them another"),
        ({"public": False}, {}, "ingress.host: no service is public"),
        ({}, {"public_path": "/api"}, "services.two.public_path: the service is not public"),
    ],
)
def test_one_host_leads_to_each_public_service_by_a_path_of_its_own(
    folder: Path, one: dict[str, Any], two: dict[str, Any], says: str
) -> None:
    services = {
        "one": {"context": str(folder), "port": 8000, "public": True, **one},
        "two": {"context": str(folder), "port": 3000, **two},
    }
    assert says in refusal(services, ingress={"host": "app.test"})


def test_an_ingress_brings_its_values_and_minikubes_addon() -> None:
    plain = load_settings()
    settings = plain.model_copy(update={"ingress": plain.ingress.model_copy(update={"host": "app.test"})})
    assert derived_values(settings)["ingress"] == {"enabled": True, "host": "app.test", "className": "nginx"}
    assert "ingress" not in derived_values(plain)
    assert (plain.addons, settings.addons) == (("metrics-server",), ("metrics-server", "ingress"))

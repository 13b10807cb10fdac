"""What pods meet on their way to the internet: a proxy that they must take, by settings alone, as the README says."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.config import env_file
from scripts.config.env_file import EnvFile
from scripts.config.settings import Settings, load_settings, parse_settings, read_text
from scripts.core.errors import InputError
from scripts.desired import database_reach, pod_proxies
from scripts.desired.helm_release import app_release
from scripts.desired.images import BaseImage, Image
from scripts.desired.secrets import desired_secrets
from tests.render.chart import any_helm

PROXY = "http://user:marked@10.0.0.9:3128"


def behind_a_proxy() -> Settings:
    settings = yaml.safe_load(read_text())
    backend = settings["services"]["backend"]
    backend["env"]["NO_PROXY"] = "todo-postgres,.svc"
    settings["chart"]["values"]["services"] = {"backend": {"addresses": [{"cidr": "10.0.0.9/32", "ports": [3128]}]}}
    return parse_settings(yaml.safe_dump(settings))


@pytest.mark.render
def test_pods_take_the_proxy_that_the_settings_give_them(tmp_path: Path) -> None:
    settings, path = behind_a_proxy(), tmp_path / ".env"
    path.write_text(f"POSTGRES_PASSWORD=hunter2-pg\nGRAFANA_ADMIN_PASSWORD=hunter2-gf\nHTTPS_PROXY={PROXY}\n")
    path.chmod(0o600)
    secrets = desired_secrets(settings, env_file.read(path, settings.env))
    assert next(secret.values["HTTPS_PROXY"] for secret in secrets if secret.service == "backend") == PROXY
    images = [Image(name, f"todo-{name}", "h1", path, path, BaseImage("", "", ())) for name in (*settings.services, "postgres")]
    release = app_release(settings, images, secrets, monitoring=False)
    argv = [any_helm(), "template", release.name, str(release.chart), "--values", "-"]
    run = subprocess.run(argv, input=release.values_json, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    assert "marked" not in run.stdout
    objects = [each for each in yaml.safe_load_all(run.stdout) if each]
    (backend,) = (each for each in objects if each["kind"] == "Deployment" and each["metadata"]["name"].endswith("-backend"))
    (container,) = backend["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry for entry in container["env"]}
    assert environment["HTTPS_PROXY"]["valueFrom"]["secretKeyRef"]["key"] == "HTTPS_PROXY"
    assert environment["NO_PROXY"]["value"] == "todo-postgres,.svc"
    assert any("10.0.0.9/32" in str(each) and "3128" in str(each) for each in objects if each["kind"] == "NetworkPolicy")


PASSWORDS = "POSTGRES_PASSWORD=hunter2-pg\nGRAFANA_ADMIN_PASSWORD=hunter2-gf\n"
MODEL = "GEMINI_API_KEY=AIzaSyA1bC2dE3fG4hI5jK6lM7nO8pQ9rS0tU1v\n"
NEON = "DATABASE_URL='postgresql://u:Xk29fLq0@db.example.org/app?sslmode=require'\n"
HERE = {"HTTPS_PROXY": "http://proxy.corp.example:3128", "NO_PROXY": "localhost"}


def env_of(tmp_path: Path, text: str) -> EnvFile:
    (tmp_path / ".env").write_text(PASSWORDS + text)
    (tmp_path / ".env").chmod(0o600)
    return env_file.read(tmp_path / ".env", load_settings().env)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "environment", "told"),
    [
        (MODEL, {}, ""),
        ("", HERE, ""),
        ("API_TOKEN=7f3c1e9a5b2d\n", HERE, ""),
        (
            MODEL,
            HERE,
            "the pods of backend are given none: if what GEMINI_API_KEY is for can be reached through it alone, write HTTPS_PROXY=",
        ),
        (MODEL, {"https_proxy": "http://p:1"}, "write HTTPS_PROXY="),
        (f"{MODEL}HTTPS_PROXY={PROXY}\n", HERE, ""),
        (NEON, {}, ""),
        (NEON, HERE, "DATABASE_URL: its host does not answer this machine on port 5432, and no HTTP proxy leads to a database"),
        ("DATABASE_URL=postgresql://u:Xk29fLq0@10.0.0.5/app\n", HERE, ""),
    ],
)
def test_pods_without_the_proxy_that_this_machine_has_are_told(
    text: str, environment: dict[str, str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_proxies, "resolve", lambda _: [])
    found = "\n".join(pod_proxies.doubts(load_settings(), env_of(tmp_path, text), environment))
    assert (told in found) if told else not found


@pytest.mark.unit
def test_a_database_that_answers_is_no_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(pod_proxies, "resolve", lambda _: ["127.0.0.1"])
        env = env_of(tmp_path, NEON.replace(".org/", f".org:{server.getsockname()[1]}/"))
        assert not list(pod_proxies.doubts(load_settings(), env, HERE))


@pytest.mark.unit
def test_the_setting_that_opens_the_policy_to_the_proxy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = env_of(tmp_path, "HTTPS_PROXY=http://proxy.corp.example:3128\n")
    monkeypatch.setattr(database_reach, "resolve", lambda _: [ipaddress.ip_address("10.0.0.9")])
    [(key, proxy)] = pod_proxies.given(load_settings(), env)
    [told] = map(str, database_reach.blocked(key, proxy, load_settings()))
    assert told.startswith("HTTPS_PROXY names a host, port 3128, where the network policy of backend does not let it")
    assert told.endswith("write services: {backend: {addresses: [{cidr: 10.0.0.9/32, ports: [3128]}]}}")


@pytest.mark.unit
@pytest.mark.parametrize("value", ["proxy:3128", "http://127.0.0.1:3128", "socks5://u:marked@p:1080", "ftp://marked@p"])
def test_a_proxy_that_pods_cannot_take_is_refused(value: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"HTTPS_PROXY (is|has)") as error:
        env_of(tmp_path, f"HTTPS_PROXY={value}\n")
    assert "marked" not in str(error.value)

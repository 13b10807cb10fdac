"""What pods meet on their way to the internet: a proxy that they must take, by settings alone, as the README says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.config import env_file
from scripts.config.settings import Settings, parse_settings, read_text
from scripts.desired.helm_release import app_release
from scripts.desired.images import BaseImage, Image
from scripts.desired.secrets import desired_secrets
from tests.render.chart import any_helm

PROXY = "http://user:marked@10.0.0.9:3128"


def behind_a_proxy() -> Settings:
    text = read_text().replace(
        "env:\n  DATABASE_URL:", "env:\n  HTTPS_PROXY: {description: the proxy for pods, optional: true}\n  DATABASE_URL:", 1
    )
    settings = yaml.safe_load(text)
    backend = settings["services"]["backend"]
    backend["secrets"].append("HTTPS_PROXY")
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

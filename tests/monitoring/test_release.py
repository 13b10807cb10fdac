"""The release as the tool makes it: the values file, our rules, the Secret's name, the dashboards."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from scripts.config.env_file import EnvFile
from scripts.config.settings import parse_settings
from scripts.core.errors import InputError
from scripts.desired import alert_rules, dashboards, monitoring
from scripts.desired.alert_rules import alerts
from scripts.desired.helm_release import HelmRelease
from tests.monitoring import promql
from tests.monitoring.machine import CHART, ROOT, need_chart, program

pytestmark = pytest.mark.monitoring

SETTINGS = parse_settings((ROOT / "invoke.yaml").read_text())


def env(password: str) -> EnvFile:
    return EnvFile(ROOT / ".env", {monitoring.PASSWORD_KEY: SecretStr(password)})


def release(password: str = "one") -> HelmRelease:
    return monitoring.stack_release(SETTINGS, CHART, monitoring.admin_secret(env(password)))


def test_a_new_password_gives_the_secret_a_new_name_and_so_restarts_grafana() -> None:
    first, second = monitoring.admin_secret(env("one")), monitoring.admin_secret(env("two"))
    assert first.name != second.name
    assert first.name == monitoring.admin_secret(env("one")).name
    assert release("one").values["grafana"]["admin"] == {"existingSecret": first.name}


def test_the_password_is_in_the_secret_alone() -> None:
    secret = monitoring.admin_secret(env("hunter2-hunter2"))
    assert json.loads(secret.manifest("monitoring", {}))["stringData"]["admin-password"] == "hunter2-hunter2"
    assert "hunter2-hunter2" not in repr(secret) + release("hunter2-hunter2").values_json


def test_grafana_opens_on_one_of_the_dashboards_that_it_is_given() -> None:
    grafana = release().values["grafana"]
    home = Path(grafana["grafana.ini"]["dashboards"]["default_home_dashboard_path"])
    (provider,) = grafana["dashboardProviders"]["dashboardproviders.yaml"]["providers"]
    assert str(home.parent) == provider["options"]["path"]
    assert home.name in json.loads(monitoring.dashboards_manifest(SETTINGS, {}))["data"]


def test_rules_watch_the_namespace_and_release_of_the_settings() -> None:
    elsewhere = SETTINGS.model_copy(update={"namespace": "elsewhere", "release": "mine"})
    expressions = {rule["alert"]: rule["expr"] for group in alert_rules.rules(elsewhere)["groups"] for rule in group["rules"]}
    matchers = {matcher for expr in expressions.values() for selector in promql.selectors(expr) for matcher in selector.matchers}
    assert {value for label, _, value in matchers if label == "namespace"} == {"elsewhere"}
    assert {value for label, _, value in matchers if label == "job"} == {"mine-backend", "mine-frontend"}
    assert expressions.keys() == alerts(SETTINGS).keys()


def test_a_service_without_metrics_is_not_missed() -> None:
    quiet = {name: service.model_copy(update={"metrics": None}) for name, service in SETTINGS.services.items()}
    one = {**quiet, "frontend": SETTINGS.services["frontend"]}
    assert alerts(SETTINGS.model_copy(update={"services": one}))["AppTargetMissing"].count("absent(") == 1
    assert "AppTargetMissing" not in alerts(SETTINGS.model_copy(update={"services": quiet}))


def test_an_app_without_rules_of_its_own_gets_those_that_hold_for_any() -> None:
    plain = SETTINGS.monitoring.model_copy(update={"rules": (), "slow_handlers": ""})
    made = alerts(SETTINGS.model_copy(update={"monitoring": plain}))
    assert alerts(SETTINGS).keys() - made.keys() == {"TodoChatFailing", "TodoDatabaseCertificateExpiring"}
    assert "chat" not in "".join(made.values()).replace("todo-chatbot", "")


def test_the_operator_leaves_alone_what_is_in_other_namespaces() -> None:
    elsewhere = SETTINGS.model_copy(update={"namespace": "elsewhere"})
    values = monitoring.stack_release(elsewhere, CHART, None).values["prometheusOperator"]
    assert values["namespaces"] == {"releaseNamespace": True, "additional": ["elsewhere"]}
    assert values["admissionWebhooks"] == {"enabled": False}


def test_config_map_holds_each_dashboard_as_it_is_in_the_checkout() -> None:
    manifest = json.loads(monitoring.dashboards_manifest(SETTINGS, {"a": "b"}))
    assert manifest["metadata"] == {"name": "todo-chatbot-dashboards", "namespace": "monitoring", "labels": {"a": "b"}}
    assert manifest["data"] == dashboards.rendered(SETTINGS)


def test_the_names_of_services_do_not_depend_on_the_release() -> None:
    elsewhere = SETTINGS.model_copy(update={"monitoring": SETTINGS.monitoring.model_copy(update={"release": "observability"})})
    assert monitoring.object_name(elsewhere, "grafana") == "monitoring-grafana"
    assert monitoring.stack_release(elsewhere, CHART, None).values["fullnameOverride"] == "monitoring"


@pytest.mark.parametrize(("text", "name"), [("", "observability-grafana"), ("prometheus: {}\n", "observability-grafana")])
def test_values_that_say_little_are_enough(text: str, name: str, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(text)
    monitoring_settings = SETTINGS.monitoring.model_copy(update={"release": "observability", "values": str(values)})
    little = SETTINGS.model_copy(update={"monitoring": monitoring_settings})
    release = monitoring.stack_release(little, CHART, monitoring.admin_secret(env("one")))
    assert release.values["grafana"]["admin"]["existingSecret"].startswith("grafana-admin-")
    assert monitoring.object_name(little, "grafana") == name


def test_values_that_are_none_are_refused_with_their_name(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("- a list\n")
    broken = SETTINGS.model_copy(update={"monitoring": SETTINGS.monitoring.model_copy(update={"values": str(values)})})
    with pytest.raises(InputError, match="is not a mapping of Helm values"):
        monitoring.stack_release(broken, CHART, None)
    adapter = SETTINGS.monitoring.adapter.model_copy(update={"values": "missing.yaml"})
    without = SETTINGS.model_copy(update={"monitoring": SETTINGS.monitoring.model_copy(update={"adapter": adapter})})
    with pytest.raises(InputError, match=r"missing\.yaml cannot be read") as caught:
        monitoring.adapter_chart_release(without, CHART)
    assert caught.value.action == "fix it, or monitoring.adapter.values in invoke.yaml"


def test_config_map_stays_far_below_the_limit_of_one_mebibyte() -> None:
    assert len(monitoring.dashboards_manifest(SETTINGS, {})) < 512 * 1024


def test_chart_turns_our_rules_into_one_prometheus_rule_without_touching_their_templates() -> None:
    helm = program("helm", "`invoke setup`")
    need_chart(CHART)
    made = release()
    argv = [helm, "template", made.name, made.chart, "--namespace", made.namespace, "--values", "-"]
    run = subprocess.run(argv, input=made.values_json, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    rules = [found for found in yaml.safe_load_all(run.stdout) if found and found["kind"] == "PrometheusRule"]
    assert [rule["spec"]["groups"] for rule in rules] == [alert_rules.rules(SETTINGS)["groups"]]

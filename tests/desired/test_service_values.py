"""The chart gets of a service what invoke.yaml says of it, and nothing that it does not say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from scripts.config.settings import Settings, load_settings
from scripts.desired.service_values import build_arguments, derived_values
from tests.config.test_services import settings_of


def values_of(name: str, services: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = derived_values(settings_of(services))["services"][name]
    return made


pytestmark = pytest.mark.unit


def test_what_is_not_said_is_left_to_the_chart() -> None:
    assert values_of("a", {"a": {"image": "a:1", "port": 80, "autoscaling": {"min": 1}}}) == {
        "port": 80,
        "probes": {"liveness": {"tcp": True}, "readiness": {"tcp": True}},
        "autoscaling": {"minReplicas": 1, "maxReplicas": 4, "targetCPUUtilizationPercentage": 80},
    }
    assert values_of("a", {"a": {"image": "a:1"}}) == {"replicas": 1, "autoscaling": {"enabled": False}}


def test_all_that_is_said_arrives_in_the_charts_words() -> None:
    said = yaml.safe_load(
        """
        image: a:1
        user: 1000:2000
        command: [a]
        args: [b]
        port: 80
        public: true
        env: {SELF: '{a.url}', OTHER: '{postgres}', WORDS: '{{ x }}'}
        probes: {live: /l, ready: [test, -f, x]}
        metrics: /m
        pages: {/: Hello}
        init: [migrate]
        writable: {/app/.next/cache: 1Gi, /tmp: 2Gi}
        resources: {limits: {cpu: "2", ephemeral-storage: 1Gi}}
        replicas: 3
        calls: [postgres]
        internet: [443]
        """
    )
    assert values_of("a", {"a": said}) == {
        "runAsUser": 1000,
        "runAsGroup": 2000,
        "command": ["a"],
        "args": ["b"],
        "port": 80,
        "public": True,
        "env": {"SELF": "http://todo-chatbot-a:80", "OTHER": "todo-chatbot-postgres", "WORDS": '{{ "{{" }} x }}'},
        "probes": {"liveness": {"path": "/l"}, "readiness": {"exec": ["test", "-f", "x"]}},
        "metricsPath": "/m",
        "testPages": {"/": "Hello"},
        "initContainers": {"init": {"command": ["migrate"]}},
        "writable": {"app-next-cache": {"path": "/app/.next/cache", "size": "1Gi"}, "tmp": {"path": "/tmp", "size": "2Gi"}},
        "resources": {"limits": {"cpu": "2", "ephemeral-storage": "1Gi"}},
        "replicas": 3,
        "autoscaling": {"enabled": False},
        "calls": ["postgres"],
        "internet": {"ports": [443]},
    }


def test_a_build_gets_the_addresses_that_a_browser_on_this_machine_calls() -> None:
    settings: Settings = settings_of({"api": {"image": "a:1", "port": 80, "public": True, "local_port": 8080}})
    assert build_arguments(settings, {"URL": "{api.local_url}/v1", "N": "1"}) == {"URL": "http://localhost:8080/v1", "N": "1"}


def test_the_databases_user_and_name_are_those_of_the_url() -> None:
    assert derived_values(load_settings())["postgres"] == {"user": "todo", "database": "todo"}

"""What `diagnose` makes of causes that stand beside each other."""

from __future__ import annotations

import pytest

from scripts.config.settings import load_settings
from scripts.kubernetes.diagnosis.cause import Diagnosis
from scripts.look import diagnose

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("code", "beside", "told"),
    [
        ("readiness-http", (), True),
        ("readiness-timeout", (), True),
        ("crash-on-start", (), False),
        ("readiness-http", (Diagnosis("crash-on-start", "todo-chatbot-backend", "it crashes", (), ""),), False),
    ],
    ids=["unready", "silent", "another cause", "what it calls is ailing"],
)
def test_what_lies_between_is_named_where_a_service_is_not_ready_and_what_it_calls_is(
    code: str, beside: tuple[Diagnosis, ...], told: bool
) -> None:
    unready = Diagnosis(code, "todo-chatbot-frontend", "/ready answers 503", ("HTTP 503",), "invoke logs frontend")
    *_, cause = diagnose.cut_off(load_settings(), [*beside, unready])
    assert any("what it calls is ready: backend" in line for line in cause.evidence) is told
    assert ("kube-proxy" in cause.action) is told

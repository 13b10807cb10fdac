"""What a log line says, whoever wrote it."""

from __future__ import annotations

import pytest

from scripts.logs.fields import is_of_a_probe, level_of, words

pytestmark = pytest.mark.unit

PATHS = frozenset(["/health", "/ready", "/metrics"])


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"level": "WARNING", "message": "x"}', "warn"),
        ('{"severity": "ERROR"}', "error"),
        ('{"level": 50, "msg": "pino"}', "error"),
        ('{"level": 20}', "debug"),
        ('{"level": "strange"}', ""),
        ("2026-01-02 03:04:05 UTC [1] FATAL:  no", "fatal"),
        ("INFO:     Started server process", "info"),
        ("plain words about an error", ""),
        ("{broken", ""),
    ],
)
def test_the_level_is_found_whoever_wrote_it(text: str, level: str) -> None:
    assert level_of(text) == level


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ('{"message": "request", "path": "/health?x=1"}', True),
        ('{"message": "request", "handler": "/ready"}', True),
        ('{"message": "request", "path": "/api/todos"}', False),
        ('{"message": "the path /health is closed"}', False),
        ('10.0.0.1 - - "GET /metrics HTTP/1.1" 200', True),
        ('INFO: 10.0.0.1:5 - "GET /ready?deep=1 HTTP/1.1" 503', True),
        ('10.0.0.1 - - "POST /health HTTP/1.1" 200', False),
        ('10.0.0.1 - - "GET /healthy HTTP/1.1" 200', False),
    ],
)
def test_what_only_probes_ask_is_known(text: str, probe: bool) -> None:
    assert is_of_a_probe(text, PATHS) is probe


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"level": "info", "message": "shutting down"}', "shutting down"),
        ('{"level": 50, "msg": "no", "err": "Traceback\\n  File x\\nKeyError: 1"}', "no: KeyError: 1"),
        ('{"message": "waiting for the database", "reason": "connection refused"}', "waiting for the database: connection refused"),
        ('{"status": 200}', '{"status": 200}'),
        (" plain words ", "plain words"),
    ],
)
def test_a_line_is_told_in_its_own_words_whoever_wrote_it(text: str, said: str) -> None:
    assert words(text) == said

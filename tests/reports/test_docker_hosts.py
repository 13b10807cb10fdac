"""Whatever a shell or a client's configuration says about Docker, it is understood or refused with one error."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scripts.core.errors import MissingError
from scripts.machine.docker_endpoint import find_endpoint

pytestmark = pytest.mark.unit

FUZZ = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PIECES = [
    "unix://",
    "tcp://",
    "ssh://",
    "npipe://",
    "fd://",
    "http:",
    "/",
    "//",
    ":",
    "[",
    "]",
    "@",
    "::1",
    "127.0.0.1",
    "2375",
    "port",
    " ",
    "~",
    "é",
]
HOSTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)


def judge() -> None:
    """Find the daemon, or be told what to do."""
    error = None
    try:
        assert find_endpoint().local in (True, False)
    except MissingError as refusal:
        error = refusal
    assert error is None or error.action


@FUZZ
@given(HOSTS, st.sampled_from([None, "", "1"]), st.sampled_from([None, "/nowhere", "~/x", ""]))
@example("tcp://127.0.0.1:port", None, None)
@example("tcp://[::1", None, None)
def test_no_docker_host_is_too_odd(host: str, verify: str | None, certificates: str | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": verify, "DOCKER_CERT_PATH": certificates}.items():
            patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
        judge()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


CONTEXT = st.fixed_dictionaries(
    {"Endpoints": ANYTHING | st.fixed_dictionaries({"docker": ANYTHING | st.fixed_dictionaries({"Host": ANYTHING})})}
)


@FUZZ
@given(content=ANYTHING | CONTEXT)
@example(content={"Endpoints": None})
@example(content={"Endpoints": {"docker": {"Host": 5}}})
def test_no_context_is_too_odd(tmp_path: Path, content: object) -> None:
    folder = tmp_path / "contexts/meta" / hashlib.sha256(b"mine").hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.json").write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
            patch.delenv(name, raising=False)
        patch.setenv("DOCKER_CONFIG", str(tmp_path))
        patch.setenv("DOCKER_CONTEXT", "mine")
        judge()


@FUZZ
@given(content=ANYTHING | st.fixed_dictionaries({"currentContext": ANYTHING}))
def test_no_configuration_of_the_client_is_too_odd(tmp_path: Path, content: object) -> None:
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
            patch.delenv(name, raising=False)
        patch.setenv("DOCKER_CONFIG", str(tmp_path))
        judge()

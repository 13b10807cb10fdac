"""`invoke doctor` on whatever is in `.env` and `invoke.yaml`: it ends well or says what is wrong, and never with a value or a defect."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from invoke import Context, Exit

from scripts import preflight, project
from scripts.config import settings, text_file
from scripts.core import log
from scripts.core.check import Problem
from scripts.core.errors import InputError, MissingError, TaskError
from scripts.core.paths import ROOT
from scripts.desired import database_reach
from scripts.desired.helm_release import HelmRelease
from scripts.look.doctor import doctor
from scripts.machine import tools
from scripts.machine.tools import Found

pytestmark = pytest.mark.unit

PHASES = (Phase.explicit, Phase.generate)  # to make a failure smaller takes minutes, and the examples are small
FUZZ = hypothesis_settings(max_examples=120, phases=PHASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
MARK = "q9Mark"
"""Is within the values alone, and in no key."""
SETTINGS = (ROOT / "invoke.yaml").read_text()
LINES = SETTINGS.splitlines(keepends=True)
RIGHT = "POSTGRES_PASSWORD=hunter2-pg\nGRAFANA_ADMIN_PASSWORD=hunter2-gf\n"


class Engine(SimpleNamespace):
    """An engine that is there and fits, with or without a Kubernetes."""

    name, tools = "told", ()

    def deployed(self) -> bool:
        return True

    def preflight(self) -> list[Problem]:
        return []

    def check(self, release: HelmRelease) -> None:
        assert release.values_json


@contextlib.contextmanager
def machine(folder: Path, env: bytes | None, text: bytes, *, kubernetes: bool) -> Iterator[None]:
    """A machine that has everything, with these files; no program runs and nothing is asked of a network."""
    (folder / "invoke.yaml").write_bytes(text)
    if env is not None:
        (folder / ".env").write_bytes(env)
        (folder / ".env").chmod(0o600)
    missing = InputError("invoke.yaml cannot be read", "restore it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "read_text", lambda: text_file.read_text(folder / "invoke.yaml", missing))
        patch.setattr(project, "ENV", folder / ".env")
        patch.setattr(preflight, "ENV", folder / ".env")
        patch.setattr(project, "choose", lambda _: (Engine(deployment=object() if kubernetes else None), "told"))
        patch.setattr(preflight, "docker_client", lambda: SimpleNamespace(info=dict))
        patch.setattr(database_reach, "resolve", lambda _: [])
        patch.setattr(log, "DEFECT", folder / "defect.log")
        patch.setattr(log, "ROOT", folder)
        settings.load_settings.cache_clear()
        try:
            yield
        finally:
            settings.load_settings.cache_clear()


def run_doctor(
    env: bytes | None, text: bytes, *, kubernetes: bool = False, as_json: bool = False, plant: Callable[[], object] = lambda: None
) -> tuple[int, str]:
    """What `invoke doctor` does, in this process.

    plant: puts something wrong into the machine.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(machine(Path(folder), env, text, kubernetes=kubernetes))
        plant()
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        try:
            doctor(Context(), json=as_json)
            code = 0
        except Exit as ended:
            code = ended.code
            err.write(ended.message or "")
    if as_json:
        for line in out.getvalue().splitlines():
            json.loads(line)
    return code, out.getvalue() + err.getvalue()


def check(code: int, output: str) -> None:
    assert code in (0, 2, 3), output
    assert "defect" not in output
    assert "Traceback" not in output
    assert MARK.lower() not in output.lower(), output
    if code:
        assert re.search(r"error: |\"cause\"", output)


def test_what_is_right_is_well() -> None:
    assert run_doctor(RIGHT.encode(), SETTINGS.encode())[0] == 0
    assert run_doctor(None, SETTINGS.encode())[0] == 0


def test_what_is_wrong_is_told_with_2() -> None:
    code, output = run_doctor(f"{RIGHT}API_TOKEN={MARK} {MARK}\n".encode(), SETTINGS.encode())
    assert code == 2
    assert "API_TOKEN contains a space" in output
    assert output.count("Nothing was changed") == 1


def test_what_an_earlier_run_by_sudo_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = InputError(".state cannot be written to: it belongs to root, not to you", "sudo chown -R me .state")
    monkeypatch.setattr(preflight, "refuse_what_is_anothers", Mock(side_effect=refusal))
    code, output = run_doctor(RIGHT.encode(), SETTINGS.encode())
    assert code == 2
    assert ".state cannot be written to: it belongs to root, not to you: sudo chown -R me .state" in output


def test_what_is_wrong_is_told_beside_a_missing_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.tools, "find_all", lambda *_: [Found("helm", problem=Problem("helm is not installed"))])
    code, output = run_doctor(f"{RIGHT}DATABASE_URL=postgresql://u:{MARK}@localhost/d\n".encode(), SETTINGS.encode())
    assert code == 3
    assert "helm is not installed" in output
    assert "DATABASE_URL names localhost, which inside a container is the container itself" in output
    assert "-> invoke setup" in output


def test_what_says_itself_what_to_do_has_no_second_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = MissingError("your user may not use Docker", "sudo usermod -aG docker $USER, then log in again", ["denied"])
    monkeypatch.setattr(tools, "_docker_version", Mock(side_effect=refusal))
    found = tools.find("docker", settings.Tool(version="1.0", minimum="1.0"))
    monkeypatch.setattr(preflight.tools, "find_all", lambda *_: [found])
    code, output = run_doctor(RIGHT.encode(), SETTINGS.encode())
    assert code == 3
    assert "your user may not use Docker; denied: sudo usermod -aG docker $USER" in output
    assert "invoke setup" not in output
    monkeypatch.setattr(preflight.tools, "find_all", lambda *_: [found, Found("helm", problem=Problem("helm is not installed"))])
    assert "-> invoke setup" in run_doctor(RIGHT.encode(), SETTINGS.encode())[1]


def test_what_the_chart_refuses_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = TaskError("helm: values do not fit", "fix chart.values", ["  - at '/services': no"])
    monkeypatch.setattr(Engine, "check", Mock(side_effect=refusal))
    code, output = run_doctor(RIGHT.encode(), SETTINGS.encode())
    assert code == 2
    assert "helm: values do not fit: - at '/services': no: fix chart.values" in output


PIECES = [
    *"=\n\r #'\"\\$@:/?%[]{}`\t\0é\u200b",
    "\n\n",
    "export ",
    "\ufeff",
    MARK,
    MARK,
    MARK,
    "postgresql://",
    "host",
    "localhost",
    "?sslmode=",
]
PIECES += [
    "POSTGRES_PASSWORD=",
    "DATABASE_URL=",
    "API_TOKEN=",
    "GEMINI_API_KEY=",
    "UNKNOWN=",
    "api_token=",
    f"postgresql://u:{MARK}@10.0.0.5/d",
]
ENV_TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
JUNK = st.lists(st.sampled_from([*"u:@/?#[]%&=,.", MARK, "%ff", "%00", "sslmode=requre", "&ssl=true"]), max_size=2).map("".join)
HOSTS = st.sampled_from(["10.0.0.5", "localhost", "[::1]", "h.x", "host.docker.internal", "h", "h1,h2", ":5433", ""])
URLS = st.builds("postgresql://u:{}{}@{}{}/d{}{}".format, st.just(MARK), JUNK, HOSTS, JUNK, st.sampled_from(["", "?sslmode=require"]), JUNK)
ENVS = st.one_of(
    ENV_TEXTS.map(str.encode),
    ENV_TEXTS.map(lambda text: (RIGHT + text).encode()),
    URLS.map(lambda url: f"{RIGHT}DATABASE_URL='{url}'\n".encode()),
    st.text(st.characters(exclude_categories=["Cs"])).map(lambda value: f"{RIGHT}API_TOKEN={MARK}{value}".encode()),
    st.binary(max_size=40),
)


@FUZZ
@given(ENVS, st.booleans(), st.booleans())
@example(f"{RIGHT}DATABASE_URL=postgresql://u:pa[{MARK}@ep-x.neon.tech/db?sslmode=require".encode(), True, False)
@example(f"{RIGHT}{MARK.upper()}{MARK}".encode(), False, False)
def test_no_env_is_too_odd(env: bytes, kubernetes: bool, as_json: bool) -> None:
    check(*run_doctor(env, SETTINGS.encode(), kubernetes=kubernetes, as_json=as_json))


ODD = st.sampled_from(
    [
        *"~!&*?|>%@`{}[]:#-,\"'\t\0\ufeff\ud7ffé",
        *("null", "true", "on", "3", "-1", "1e400", ".nan", ".inf", "0x10", "2020-01-01", "2020-99-99", "12:30:45", "9" * 5000),
        *("!!binary x", "!!int x", "!!set {a}", "!!python/name:os", "&a", "*a", "&a [*a]", "<<: 3", "{a: b}", "[1, 2]", "---", "..."),
        *(r'"\ud800"', r'"\0"', "~root/x", "a" * 5000, "/etc", "../..", "run: 3", "tasks: {dedupe: {}}", "{KEY}", "postgres"),
    ]
)


@st.composite
def changed_settings(draw: Any) -> bytes:
    """Ours with a few lines lost, doubled, moved or given an odd value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["drop", "double", "value", "key", "insert", "indent"]))
        odd = draw(st.one_of(ODD, st.text(st.characters(exclude_categories=["Cs"]), max_size=6)))
        key, colon, _value = lines[at].partition(":")
        if how == "drop":
            del lines[at]
        elif how == "double":
            lines.insert(draw(st.integers(0, len(lines))), lines[at])
        elif how == "value" and colon:
            lines[at] = f"{key}: {odd}\n"
        elif how == "key":
            lines[at] = f"{odd}: x\n"
        elif how == "insert":
            lines.insert(at, f"{odd}\n")
        else:
            lines[at] = f"  {lines[at]}"
    return "".join(lines).encode()


@FUZZ
@given(
    st.one_of(
        changed_settings(),
        changed_settings(),
        st.lists(ODD, max_size=8).map(lambda parts: "\n".join(parts).encode()),
        st.binary(max_size=40),
    )
)
@example(b"\xff\xfe")
@example(b"")
@example(SETTINGS.replace('extra_ca: ""', "extra_ca: ~nobody-here/ca.pem").encode())
def test_no_settings_are_too_odd(text: bytes) -> None:
    check(*run_doctor(f"{RIGHT}API_TOKEN={MARK}-token-9".encode(), text, kubernetes=True))

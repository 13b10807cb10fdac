import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import psutil
import pytest

from todo_backend.serve import LINGER_SECONDS

from . import fake_gemini as gemini
from .conftest import SOURCE, START_TIMEOUT
from .fake_gemini import speak
from .test_chat import events

# After a graceful stop uvicorn hands the signal on, so that a parent learns why the process ended.
ENDED_BY_SIGTERM = -signal.SIGTERM


def test_the_process_serves_logs_json_and_ends_at_sigterm(start_process, database_url):
    process = start_process(DATABASE_URL=database_url)
    process.wait_ready()
    httpx2.get(f"{process.url}/api/todos", headers={"X-Request-ID": "abc"})
    process.popen.send_signal(signal.SIGTERM)
    code, output = process.wait()
    lines = [json.loads(line) for line in output.splitlines()]
    assert code == ENDED_BY_SIGTERM
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    (request,) = [line for line in lines if line["logger"] == "todo_backend.access"]
    assert (request["request_id"], request["handler"], request["status"]) == ("abc", "/api/todos", 200)


def test_what_is_hidden_from_the_process_is_not_in_the_image():
    pinned = (SOURCE.parent / "requirements.txt").read_text()
    assert not re.search(r"^(rich|watchfiles)==", pinned, re.MULTILINE)


@pytest.mark.parametrize("key", ["", "k"])
def test_at_rest_the_process_needs_less_than_120_mb(start_process, database_url, key: str):
    process = start_process(DATABASE_URL=database_url, GEMINI_API_KEY=key)
    process.wait_ready()
    assert psutil.Process(process.popen.pid).memory_info().rss < 120_000_000


def test_at_ctrl_c_it_ends_at_once_and_without_a_traceback(start_process, database_url):
    process = start_process(DATABASE_URL=database_url)
    process.wait_ready()
    with httpx2.Client(base_url=process.url) as client:
        client.get("/api/todos")
        process.popen.send_signal(signal.SIGINT)
        started = time.monotonic()
        code, output = process.wait()
    assert (code, "Traceback" in output) == (130, False)
    assert time.monotonic() - started < LINGER_SECONDS


def test_at_sigterm_a_running_answer_is_finished_and_ready_says_no(start_process, database_url):
    with gemini.fake_gemini() as fake:
        slow = speak("At last.")
        slow.delay = 2
        fake.replies = [slow]
        process = start_process(DATABASE_URL=database_url, GEMINI_API_KEY="k", GEMINI_BASE_URL=fake.url)
        process.wait_ready()
        told: list[tuple[str, dict]] = []

        def ask() -> None:
            headers = {"Accept": "text/event-stream"}
            answer = httpx2.post(f"{process.url}/api/chat", json={"message": "hi"}, headers=headers, timeout=60)
            told.extend(events(answer.text))

        asking = threading.Thread(target=ask)
        asking.start()
        while not fake.requests:
            time.sleep(0.02)
        process.popen.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        ready = httpx2.get(f"{process.url}/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, "shutting down")
        asking.join(START_TIMEOUT)
        assert [name for name, _ in told] == ["start", "delta", "done"]
        assert process.wait()[0] == ENDED_BY_SIGTERM


def test_at_sigterm_a_request_on_a_kept_connection_is_answered_and_the_connection_given_back(
    start_process, database_url
):
    process = start_process(DATABASE_URL=database_url)
    process.wait_ready()
    with httpx2.Client(base_url=process.url) as client:
        assert "Connection" not in client.get("/api/todos").headers
        process.popen.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # a server that closes what looks idle has done so by now
        answer = client.post("/api/todos", json={"title": "on its way"})
    assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
    assert process.wait()[0] == ENDED_BY_SIGTERM


def test_at_sigterm_a_connection_that_stays_idle_is_closed_after_a_while(start_process, database_url):
    process = start_process(DATABASE_URL=database_url)
    process.wait_ready()
    with httpx2.Client(base_url=process.url) as client:
        client.get("/api/todos")
        process.popen.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert process.wait()[0] == ENDED_BY_SIGTERM
    assert time.monotonic() - started > LINGER_SECONDS - 0.5


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "error: DATABASE_URL: is not set"),
        ({"DATABASE_URL": "mysql://u:canary@h/d"}, "error: DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://h/d", "LOG_LEVEL": "canary"}, "error: LOG_LEVEL: "),
    ],
)
def test_an_environment_that_cannot_be_used_is_one_line_and_exit_code_2(start_process, environment, line):
    code, output = start_process(**environment).wait()
    assert code == 2
    assert output.startswith(line)
    assert len(output.splitlines()) == 1
    assert "canary" not in output


def test_migrate_says_what_it_did_or_why_it_could_not(start_process, database_url):
    code, output = start_process("todo_backend.migrate", DATABASE_URL=database_url).wait()
    assert (code, output.splitlines()[-1]) == (0, "the schema is up to date")
    unusable = {"DATABASE_URL": "postgresql://u:canary@no-such-host.invalid/d", "MIGRATE_TIMEOUT_SECONDS": "0.1"}
    code, output = start_process("todo_backend.migrate", **unusable).wait()
    assert (code, output.splitlines()[-1]) == (1, "error: DNS name not found")
    assert "canary" not in output


def run_script(script: str, **environment: str) -> None:
    """Run a few lines of Python; fail the test when they end with another code than 0."""
    environment["PYTHONPATH"] = str(SOURCE)
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, stdin=subprocess.DEVNULL, timeout=120)


def test_while_serving_garbage_is_collected_but_not_looked_for_in_the_app_itself():
    script = (
        "import gc, sys; gc.disable(); from todo_backend import serve;"
        "serve._Server.run = lambda _: sys.exit(not (gc.isenabled() and gc.get_freeze_count() > 100_000));"
        "serve.main()"
    )
    run_script(script, DATABASE_URL="postgresql://h/d")


def test_before_the_first_question_the_gemini_sdk_is_not_loaded():
    script = (
        "import sys; from todo_backend.app import create_app; from todo_backend.settings import Settings;"
        "create_app(Settings.from_environment({'DATABASE_URL': 'postgresql://h/d', 'GEMINI_API_KEY': 'k'}));"
        "sys.exit('google.genai' in sys.modules)"
    )
    run_script(script)


def test_the_lock_pins_every_package_by_hash_and_names_no_host():
    lock = (Path(__file__).parent.parent / "requirements.txt").read_text()
    assert "://" not in lock
    assert lock.count("--hash=sha256:") > lock.count("==")

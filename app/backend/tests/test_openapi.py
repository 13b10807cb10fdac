import subprocess
import sys
from pathlib import Path

from todo_backend.app import create_app

from .conftest import make_settings, serving

EXAMPLES = 15  # generated requests for each call; raise it for a deeper search


def test_schemathesis_finds_no_5xx_and_no_undocumented_answer(database_url: str, tmp_path: Path):
    with serving(create_app(make_settings(database_url, API_TOKEN="t"))) as url:
        run = subprocess.run(
            [Path(sys.executable).with_name("st"), "run", f"{url}/api/openapi.json", "-H", "Authorization: Bearer t",
             # A deleted todo can be restored, which the check for use after deletion cannot know.
             "--checks", "all", "--exclude-checks", "use_after_free", "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"],
            cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def test_every_call_is_documented_with_its_answers():
    described = create_app(make_settings("postgresql://h/d")).openapi()
    calls = {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert calls == {
        ("get", "/health"), ("get", "/ready"), ("get", "/metrics"), ("get", "/api/info"),
        ("get", "/api/todos"), ("post", "/api/todos"), ("get", "/api/todos/{todo_id}"),
        ("patch", "/api/todos/{todo_id}"), ("delete", "/api/todos/{todo_id}"),
        ("post", "/api/todos/{todo_id}/complete"), ("post", "/api/chat"),
        ("post", "/api/todos/{todo_id}/restore"), ("post", "/api/parse"), ("post", "/api/undo/{change_id}"),
        ("get", "/api/conversations/{conversation_id}/messages"), ("get", "/api/conversations"),
        ("delete", "/api/conversations/{conversation_id}"),
    }  # fmt: skip
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation.get("summary") or operation.get("description")
            if path.startswith("/api"):
                assert {"401", "503"} <= set(operation["responses"])
                assert operation["security"] == [{"HTTPBearer": []}]


def test_the_limits_of_a_version_are_documented():
    schemas = create_app(make_settings("postgresql://h/d")).openapi()["components"]["schemas"]
    version = schemas["TodoChange"]["properties"]["version"]
    assert (version["type"], version["minimum"], version["maximum"]) == ("integer", 1, 2**31 - 1)

"""The table of requests, tried on the rules assistant."""

import asyncio
import re

import pytest

from todo_backend.app import create_app
from todo_backend.evaluate import TableClock, TableError, evaluate, main, read_table

from .conftest import SCORERS, _lifespan, client_of, make_settings, run_sql, wait_ready
from .fake_gemini import Reply, call, fake_gemini, speak

SCORING_TIMEOUT = 600  # seconds; other work may be keeping this machine busy


@pytest.mark.parametrize("number", range(SCORERS))
def test_the_rules_assistant_does_what_the_tables_say(scoring, number: int):
    """The goal for any assistant is 95 %. The rules answer the same every time, so a row that is wrong was broken."""
    if not scoring:
        pytest.skip("PostgreSQL IS NOT INSTALLED: the tables of requests are not tested (Debian: postgresql)")
    process, output = scoring[number]
    process.wait(SCORING_TIMEOUT)
    told = output.read_text()
    found = re.search(r"^(\d+) of (\d+) right .*, 0 harmful$", told, re.MULTILINE)
    assert found, told
    assert found[1] == found[2], told
    assert process.returncode == 0


TABLE = """
- before: [buy milk, call Ana]
  cases:
  - {say: delete milk, gone: [buy milk]}
  - {say: delete all, asks: true}
  - {say: done with Ana, change: {call Ana: {done: true}}}
  - {say: "what's left?", lists: [call Ana, buy milk]}
"""


async def test_the_score_of_a_stand_in_tells_right_wrong_and_harmful(database_url):
    """A model that deletes the first todo whatever it is asked."""
    with fake_gemini() as fake:
        clock = TableClock()
        app = create_app(make_settings(database_url, GEMINI_API_KEY="k", GEMINI_BASE_URL=fake.url), clock)
        async with _lifespan(app), client_of(app) as client:
            await wait_ready(client)

            def next_reply() -> Reply:
                results = fake.tool_results()
                if not results:
                    return call(("list_todos", {}))
                if len(results) == 1:
                    return call(("delete_todo", {"todo_id": results[0]["result"]["items"][0]["id"]}))
                return speak("Done?")

            fake.next_reply = next_reply
            score = await evaluate(client, clock, read_table(TABLE, "stand-in"), lambda _: None)
    assert [(not result.problem, result.harm) for result in score.results] == [
        (True, False),
        (False, True),
        (False, False),
        (False, False),
    ]
    assert str(score) == "1 of 4 right (25.0%), 1 harmful"
    told = fake.requests[0]["systemInstruction"]["parts"][0]["text"]
    assert "Thursday, 2026-11-26, 09:30" in told


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("x: [", "ParserError"),
        ("- {cases: [{add: [x]}]}", "KeyError"),
        ("- {cases: [{say: x, remove: [y]}]}", "remove"),
        ("- {cases: [{say: x, gone: [y]}]}", "no todo 'y'"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(table: str, words: str):
    with pytest.raises(TableError, match=words):
        read_table(table, "t.yaml")


def test_the_command_scores_and_refuses_a_list_in_use(postgres, database, database_url, tmp_path, monkeypatch, capsys):
    table = tmp_path / "t.yaml"
    table.write_text(TABLE)
    monkeypatch.setenv("DATABASE_URL", database_url)
    assert main([str(table)]) == 0
    assert capsys.readouterr().out == "4 of 4 right (100.0%), 0 harmful\n"
    table.write_text(TABLE.replace("asks: true", "gone: [buy milk]"))
    assert main([str(table)]) == 1
    assert "wrong delete all" in capsys.readouterr().out
    statement = "INSERT INTO todos (id, title, priority, tags) VALUES (gen_random_uuid(), 'mine', 2, '{}')"
    asyncio.run(run_sql(postgres, statement, database=database))
    assert main([str(table)]) == 2
    assert "error: the database holds todos" in capsys.readouterr().err
    assert main([str(tmp_path / "none.yaml")]) == 2

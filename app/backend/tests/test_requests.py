"""The table of requests, tried on the rules assistant."""

from pathlib import Path

import pytest

from todo_backend.app import create_app
from todo_backend.evaluate import Result, TableClock, evaluate, read_table

from .conftest import _lifespan, client_of, make_settings, wait_ready

TABLES = sorted((Path(__file__).parent / "requests").glob("*.yaml"))
GOAL = 0.95


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
async def test_the_rules_assistant_does_what_the_table_says(database_url, table: Path):
    clock = TableClock()
    app = create_app(make_settings(database_url), clock)
    wrong: list[Result] = []
    async with _lifespan(app), client_of(app) as client:
        await wait_ready(client)
        cases = read_table(table.read_text(), table.name)
        score = await evaluate(client, clock, cases, lambda result: wrong.append(result) if result.problem else None)
    told = "\n".join(
        f"{'HARM' if r.harm else 'wrong'}: {' / '.join(r.case.say)}: {r.problem} (said {r.answer!r})" for r in wrong
    )
    print(f"{table.stem}: {score}\n{told}")
    assert score.harmful == 0, told
    assert score.right >= GOAL * len(cases), f"{score}\n{told}"

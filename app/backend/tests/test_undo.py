import uuid

import httpx2
import pytest

from .conftest import SHARED_DATABASE, run_sql
from .postgres import Postgres
from .test_todos_api import add, titles


async def say(client: httpx2.AsyncClient, *messages: str, **fields: object) -> dict:
    told: dict = {"conversation_id": None}
    for message in messages:
        body = {"message": message, "conversation_id": told["conversation_id"], **fields}
        answer = await client.post("/api/chat", json=body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
    return told


async def everything(client: httpx2.AsyncClient) -> list[dict]:
    return (await client.get("/api/todos")).json()["items"]


async def test_a_deleted_todo_is_restored_as_the_same_row_in_its_place(client):
    todos = [await add(client, title, due_date="2026-12-01", due_time="09:30", tags=["x"]) for title in ("a", "b", "c")]
    await client.post(f"/api/todos/{todos[1]['id']}/complete")
    before = await everything(client)
    url = f"/api/todos/{todos[1]['id']}"
    assert (await client.delete(url)).status_code == 204
    assert await titles(client) == ["a", "c"]
    assert (await client.get(url)).status_code == 404
    assert (await client.post(f"{url}/complete")).status_code == 404
    assert (await client.post(f"{url}/restore")).json() == before[1]
    assert await everything(client) == before
    assert (await client.post(f"{url}/restore")).json() == before[1]
    assert (await client.post(f"/api/todos/{uuid.uuid4()}/restore")).status_code == 404


async def test_after_thirty_days_a_deletion_is_for_good_and_is_cleared_away_by_the_next(client, postgres: Postgres):
    old, new = await add(client, "old"), await add(client, "new")
    await client.delete(f"/api/todos/{old['id']}")
    await run_sql(
        postgres, "UPDATE deleted_todos SET deleted_at = now() - interval '31 days'", database=SHARED_DATABASE
    )
    assert (await client.post(f"/api/todos/{old['id']}/restore")).status_code == 404
    await client.delete(f"/api/todos/{new['id']}")
    left = await run_sql(postgres, "SELECT title FROM deleted_todos", database=SHARED_DATABASE)
    assert [row["title"] for row in left] == ["new"]


async def test_the_chat_brings_back_by_its_name_what_was_deleted_in_the_list_within_thirty_days(
    client, postgres: Postgres
):
    todo = await add(client, "paint the shed", due_date="2026-12-01", tags=["home"])
    before = await everything(client)
    await client.delete(f"/api/todos/{todo['id']}")
    asked = await say(client, "bring back the shed")
    assert asked["text"] == "“paint the shed” was deleted. Shall I bring it back?"
    assert await everything(client) == []
    await say(client, "bring back the shed", "yes")
    assert await everything(client) == before
    await client.delete(f"/api/todos/{todo['id']}")
    await run_sql(
        postgres, "UPDATE deleted_todos SET deleted_at = now() - interval '31 days'", database=SHARED_DATABASE
    )
    assert "found no completed or deleted todo" in (await say(client, "bring back the shed"))["text"]


async def test_a_key_that_was_used_again_stays_with_its_new_todo(client):
    first = (await client.post("/api/todos", json={"title": "one"}, headers={"Idempotency-Key": "k"})).json()
    await client.delete(f"/api/todos/{first['id']}")
    second = (await client.post("/api/todos", json={"title": "two"}, headers={"Idempotency-Key": "k"})).json()
    assert (await client.post(f"/api/todos/{first['id']}/restore")).status_code == 200
    again = await client.post("/api/todos", json={"title": "x"}, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["id"]) == (200, second["id"])


@pytest.mark.parametrize(
    "messages",
    [
        ["add tea tomorrow at 5pm #x"], ["delete milk"], ["done with milk"], ["rename milk to oats"], ["move milk to friday at 3pm"],
        ["make milk high priority"], ["tag milk with y"], ["reopen read"], ["delete all", "yes"], ["complete everything", "yes"],
        ["move everything to tomorrow", "yes"], ["clear completed", "yes"], ["add tea and bread"],
    ],
    ids=" / ".join,
)  # fmt: skip
@pytest.mark.parametrize("way", ["button", "word"])
async def test_what_an_answer_changed_is_undone_as_one_and_exactly(client, messages, way):
    await add(client, "buy milk", due_date="2026-12-01", due_time="08:00", tags=["shop"], priority="low")
    await add(client, "call Mia")
    read = await add(client, "read")
    await client.post(f"/api/todos/{read['id']}/complete")
    before = await everything(client)
    told = await say(client, *messages)
    assert told["todos_changed"] is True, told
    changed = await everything(client)
    assert changed != before
    if way == "word":
        undone = await say(client, "undo", conversation_id=told["conversation_id"])
        assert (undone["todos_changed"], undone["undo"] is not None) == (True, True)
    else:
        answers = [await client.post(f"/api/undo/{told['undo']}") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["restored"] >= 1
    after = await everything(client)
    assert [todo | {"version": 0} for todo in after] == [todo | {"version": 0} for todo in before]
    for one, two in zip(before, after, strict=True):
        was_changed = one != next((todo for todo in changed if todo["id"] == one["id"]), one)
        assert two["version"] == one["version"] + (2 if was_changed else 0)


async def test_nothing_is_undone_when_a_todo_was_changed_since(client):
    milk, mia = await add(client, "milk"), await add(client, "call Mia")
    told = await say(client, "complete all", "yes")
    await client.patch(f"/api/todos/{mia['id']}", json={"version": 2, "title": "call Pia"})
    before = await everything(client)
    refused = await client.post(f"/api/undo/{told['undo']}")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "“call Pia” was changed since, so I left everything as it is.",
    )
    assert "was changed since" in (await say(client, "undo", conversation_id=told["conversation_id"]))["text"]
    await client.delete(f"/api/todos/{milk['id']}")
    assert (await client.post(f"/api/undo/{told['undo']}")).status_code == 409
    assert await everything(client) == before[1:]


async def test_what_an_answer_added_and_somebody_has_deleted_since_does_not_stop_the_undo_of_the_rest(client):
    told = await say(client, "add milk, bread and eggs")
    bread = next(todo for todo in await everything(client) if todo["title"] == "bread")
    await client.delete(f"/api/todos/{bread['id']}")
    assert (await client.post(f"/api/undo/{told['undo']}")).status_code == 200
    assert await everything(client) == []


async def test_undo_in_chat_goes_back_step_by_step_in_its_own_conversation(client):
    first = await say(client, "add a", "add b")
    other = await say(client, "add c")
    undone = await say(client, "undo", conversation_id=first["conversation_id"])
    assert undone["text"] == "Undone: “b”, which I had added, is gone again."
    assert await titles(client) == ["a", "c"]
    await say(client, "undo that please", conversation_id=first["conversation_id"])
    assert await titles(client) == ["c"]
    last = await say(client, "undo", conversation_id=first["conversation_id"])
    assert (last["text"], last["todos_changed"]) == ("There is nothing to undo in this conversation.", False)
    assert other["undo"]


@pytest.mark.parametrize("question", ["delete all", "delete the pear, we have enough", "the frobnicator is blue"])
async def test_what_is_put_back_after_a_question_is_not_what_was_changed_before_it(client, question: str):
    told = await say(client, "add apples, pears and cheese", question)
    before = await everything(client)
    back = await say(client, "no wait, put it back", conversation_id=told["conversation_id"])
    assert (back["text"].partition(":")[0], back["todos_changed"]) == ("That was only a question", False)
    assert await everything(client) == before
    undone = await say(client, back["choices"][0]["message"], conversation_id=told["conversation_id"])
    assert undone["text"] == "Undone: “apples”, “pears” and “cheese”, which I had added, are gone again."
    assert await everything(client) == []


async def test_an_undo_names_what_is_as_it_was(client):
    for title in ("call Ana", "buy milk"):
        await add(client, title)
    told = await say(client, "complete all", "yes")
    assert (await say(client, "undo", conversation_id=told["conversation_id"]))["text"] == (
        "Undone: “call Ana” and “buy milk” are as they were."
    )


@pytest.mark.parametrize("way", ["button", "words"])
@pytest.mark.parametrize(
    "messages",
    [("add apples and pears",), ("delete milk",), ("rename milk to oat milk",), ("complete all", "yes")],
)
async def test_an_undo_can_be_taken_back(client, messages, way):
    for title in ("milk", "eggs"):
        await add(client, title)
    at_first = told_of(await everything(client))
    changed = await say(client, *messages)
    conversation = changed["conversation_id"]
    with_it = told_of(await everything(client))
    undone = await say(client, "undo", conversation_id=conversation)
    assert told_of(await everything(client)) == at_first
    if way == "button":
        assert (await client.post(f"/api/undo/{undone['undo']}")).status_code == 200
    else:
        assert (await say(client, "redo", conversation_id=conversation))["text"].startswith("Redone: ")
    assert told_of(await everything(client)) == with_it
    await say(client, "undo", conversation_id=conversation)
    assert told_of(await everything(client)) == at_first
    assert (await say(client, "redo", "redo", conversation_id=conversation))["text"] == (
        "There is nothing to redo in this conversation."
    )


def told_of(todos: list[dict]) -> list[tuple[object, ...]]:
    return [(todo["id"], todo["title"], todo["done"]) for todo in todos]


async def test_an_unknown_or_old_undo_is_a_404(client, postgres: Postgres):
    told = await say(client, "add a")
    assert (await client.post(f"/api/undo/{uuid.uuid4()}")).status_code == 404
    await run_sql(postgres, "UPDATE changes SET created_at = now() - interval '31 days'", database=SHARED_DATABASE)
    assert (await client.post(f"/api/undo/{told['undo']}")).status_code == 404
    await say(client, "add b")
    assert len(await run_sql(postgres, "SELECT FROM changes", database=SHARED_DATABASE)) == 1


async def test_an_answer_that_changed_nothing_has_no_undo(client):
    told = await say(client, "what's left?")
    assert (told["undo"], told["choices"], told["todos_changed"]) == (None, [], False)


async def test_a_set_is_named_with_its_count_and_changed_only_after_a_yes(client):
    for title in ("call Ana", "buy milk"):
        await add(client, title)
    asked = await say(client, "delete all")
    assert "2 todos" in asked["text"]
    assert [choice["message"] for choice in asked["choices"]] == ["yes", "no"]
    assert await titles(client) == ["call Ana", "buy milk"]
    await add(client, "new meanwhile")
    history = (await client.get(f"/api/conversations/{asked['conversation_id']}/messages")).json()["items"]
    assert history[1]["choices"] == asked["choices"]
    done = await say(client, "yes", conversation_id=asked["conversation_id"])
    assert done["text"] == "Deleted 2 todos."
    assert await titles(client) == ["new meanwhile"]
    assert (await say(client, "yes", conversation_id=asked["conversation_id"]))["todos_changed"] is False
    history = (await client.get(f"/api/conversations/{asked['conversation_id']}/messages")).json()["items"]
    assert history[3]["undo"] == done["undo"]


@pytest.mark.parametrize("answer", ["no", "No thanks", "yes but not the milk", "delete only milk", "what's left?"])
async def test_anything_but_a_yes_changes_nothing_of_the_set(client, answer):
    await add(client, "call Ana")
    await add(client, "milk")
    told = await say(client, "delete everything", answer)
    assert "call Ana" in await titles(client)
    assert "Deleted 2" not in told["text"]


async def test_a_set_of_more_than_a_dozen_is_changed_as_a_whole(client):
    for number in range(30):
        await add(client, f"t{number}")
    told = await say(client, "complete all", "yes")
    assert told["text"] == "Completed 30 todos."
    assert await titles(client, state="open") == []


async def test_a_stranger_cannot_write_into_the_undo_of_a_conversation(client):
    told = await say(client, "add a")
    change = {"id": str(uuid.uuid4()), "conversation_id": told["conversation_id"]}
    body = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "add_todo", "arguments": {"title": "b"}, "_meta": {"change": change}},
    }  # fmt: skip
    headers = {"Accept": "application/json, text/event-stream"}
    assert (await client.post("/mcp", json=body, headers=headers)).status_code == 200
    assert await titles(client) == ["a", "b"]
    assert (await client.post(f"/api/undo/{change['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"due_time": "17:00"}, 409), ({"due_date": "2026-12-01", "due_time": "17:00"}, 200), ({"due_date": None, "due_time": "17:00"}, 422),
        ({"due_date": "2026-12-01", "due_time": "5pm"}, 422), ({"due_date": "2026-12-01", "due_time": "24:00"}, 422),
        ({"due_date": "2026-12-01", "due_time": "17:00:30"}, 422), ({"due_date": "2026-12-01", "due_time": 61200}, 422),
    ],
)  # fmt: skip
async def test_a_due_time_needs_a_date_and_one_form(client, change, status):
    made = await add(client, "x")
    assert (await client.patch(f"/api/todos/{made['id']}", json={"version": 1, **change})).status_code == status
    fields = {name: value for name, value in change.items() if value is not None}
    assert (await client.post("/api/todos", json={"title": "y", **fields})).status_code == (
        201 if status == 200 else 422
    )


async def test_clearing_the_date_clears_the_time(client):
    made = await add(client, "x", due_date="2026-12-01", due_time="17:05")
    assert made["due_time"] == "17:05"
    cleared = (await client.patch(f"/api/todos/{made['id']}", json={"version": 1, "due_date": None})).json()
    assert (cleared["due_date"], cleared["due_time"]) == (None, None)


async def test_todos_are_listed_by_due_date_and_time_and_between_days(client):
    await add(client, "none")
    await add(client, "late", due_date="2026-12-02")
    await add(client, "day", due_date="2026-12-01")
    await add(client, "noon", due_date="2026-12-01", due_time="12:00")
    await add(client, "nine", due_date="2026-12-01", due_time="09:00")
    assert await titles(client, sort="due") == ["nine", "noon", "day", "late", "none"]
    assert await titles(client, due_until="2026-12-01") == ["day", "noon", "nine"]
    assert await titles(client, due_from="2026-12-02", due_until="2026-12-05") == ["late"]

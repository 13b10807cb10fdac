import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import httpx2
import pytest

from todo_backend.app import create_app
from todo_backend.chat import Chat, Question
from todo_backend.schemas import ChatRequest

from .conftest import make_settings, run_sql, running_app, serving


def events(body: str) -> list[tuple[str, dict]]:
    blocks = [block for block in body.split("\n\n") if block.startswith("event:")]
    lines = [block.split("\n") for block in blocks]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]


async def stream(client: httpx2.AsyncClient, message: str) -> list[tuple[str, dict]]:
    answer = await client.post("/api/chat", json={"message": message}, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    return events(answer.text)


async def test_an_answer_is_streamed_as_events_and_stored(client):
    told = await stream(client, "add buy milk tomorrow, high")
    assert [name for name, _ in told] == ["start", "tool", "delta", "done"]
    start, tool, delta, done = [data for _, data in told]
    assert start["assistant"] == "rules"
    assert tool == {"name": "add_todo", "outcome": "ok"}
    assert delta == {"text": "Added “buy milk”, due tomorrow, high priority."}
    assert done["todos_changed"] is True
    said = (await client.get(f"/api/conversations/{start['conversation_id']}/messages")).json()["items"]
    assert [(message["role"], message["text"]) for message in said] == [
        ("user", "add buy milk tomorrow, high"),
        ("assistant", delta["text"]),
    ]
    assert said[1]["id"] == done["message_id"]


async def test_an_answer_as_a_whole_says_the_same(client):
    answer = (await client.post("/api/chat", json={"message": "what's left?"})).json()
    assert (answer["text"], answer["assistant"], answer["todos_changed"]) == ("There is no open todo.", "rules", False)
    assert answer["tools"] == [{"name": "list_todos", "outcome": "ok"}]


async def test_days_are_written_as_the_visitor_writes_them(client):
    async def said(**fields: str) -> str:
        answer = (await client.post("/api/chat", json={"message": "what's left?", **fields})).json()
        return answer["text"].rpartition(" (due ")[2]

    due = datetime.now(UTC).date() + timedelta(days=20)
    await client.post("/api/todos", json={"title": "call Ana", "due_date": str(due)})
    assert await said() == f"{due:%a} {due.day} {due:%b})"
    assert await said(date_format="EEE, d MMM") == f"{due:%a}, {due.day} {due:%b})"
    assert await said(date_format="EEE, MMM d") == f"{due:%a, %b} {due.day})"


async def test_times_are_written_as_the_visitors_clock_shows_them(client):
    async def said(message: str, **fields: str) -> tuple[str, list[str]]:
        answer = (await client.post("/api/chat", json={"message": message, **fields})).json()
        return answer["text"], [choice["label"] for choice in answer["choices"]]

    assert (await said("add call Ana tomorrow at 17:05"))[0] == "Added “call Ana”, due tomorrow at 17:05."
    assert (await said("what's left?", hour_cycle="h12"))[0].endswith("1. call Ana (due tomorrow at 5:05 PM)")
    moved = await said("move Ana to tomorrow at 0:30", hour_cycle="h12")
    assert moved[0] == "“call Ana” is now due tomorrow at 12:30 AM."
    asked, ways = await said("dentist tomorrow at 12:15", hour_cycle="h12")
    assert asked == "Shall I add “dentist”, tomorrow at 12:15 PM?"
    assert ways[0] == "Add “dentist”, tomorrow at 12:15 PM"
    assert (await said("what time is it?", hour_cycle="h12"))[0].endswith(("AM.", "PM."))
    assert (await said("what's left?", hour_cycle="h23"))[0].endswith("1. call Ana (due tomorrow at 00:30)")


async def test_any_replica_continues_a_conversation(database_url):
    async with running_app(database_url) as one, running_app(database_url) as other:
        for title in ("a", "b", "c"):
            await one.post("/api/todos", json={"title": title})
        first = (await one.post("/api/chat", json={"message": "what's left?"})).json()
        await one.post("/api/todos", json={"title": "d"})
        request = {"message": "delete the second", "conversation_id": first["conversation_id"]}
        second = (await other.post("/api/chat", json=request)).json()
        assert second["text"] == "Deleted “b”."
        assert [todo["title"] for todo in (await one.get("/api/todos")).json()["items"]] == ["a", "c", "d"]


async def test_conversations_are_listed_the_latest_first_and_deleted_for_good(client):
    async def say(message: str, conversation: str | None = None) -> str:
        request = {"message": message, "conversation_id": conversation}
        return (await client.post("/api/chat", json=request)).json()["conversation_id"]

    async def listed(**page: int) -> list[tuple[str, str]]:
        items = (await client.get("/api/conversations", params=page)).json()["items"]
        return [(item["id"], item["title"]) for item in items]

    first, second = await say("add buy milk"), await say("what's left? " + "x" * 200)
    latest = await listed()
    assert latest[:2] == [(second, ("what's left? " + "x" * 200)[:120]), (first, "add buy milk")]
    await say("thanks", first)
    assert (await listed(limit=1)) == [(first, "add buy milk")]
    assert (await listed(limit=1, offset=1)) == [latest[0]]
    assert (await client.get("/api/conversations")).json()["total"] == len(latest)
    assert (await client.delete(f"/api/conversations/{first}")).status_code == 204
    assert (await client.get(f"/api/conversations/{first}/messages")).status_code == 404
    assert [item for item in await listed() if item[0] == first] == []
    assert (await client.get("/api/todos")).json()["total"] == 1


async def test_an_answer_of_a_conversation_that_was_deleted_meanwhile_says_so(client, monkeypatch):
    ask = Chat.ask

    async def deleted_at_once(self: Chat, request: ChatRequest) -> Question:
        question = await ask(self, request)
        await self._conversations.delete(question.conversation_id)
        return question

    monkeypatch.setattr(Chat, "ask", deleted_at_once)
    told = await stream(client, "what's left?")
    assert [name for name, _ in told][-2:] == ["error", "done"]
    assert "this conversation was deleted" in told[-2][1]["message"]


async def test_an_answer_whose_client_has_gone_is_finished_and_stored(database, postgres):
    app = create_app(make_settings(postgres.url(database)))
    with serving(app) as url:

        async def ask_and_leave() -> None:
            async with (
                httpx2.AsyncClient(base_url=url) as client,
                client.stream("POST", "/api/chat", json={"message": "add x"}, headers={"Accept": "text/event-stream"}),
            ):
                pass

        await ask_and_leave()
        async with asyncio.timeout(30):
            while not await run_sql(postgres, "SELECT FROM messages WHERE role = 'assistant'", database=database):
                await asyncio.sleep(0.05)


TODAY = date.today()  # noqa: DTZ011 - the assistant's day is the server's
IN_2_DAYS = f"{TODAY + timedelta(2):%a %-d %b}"


@pytest.mark.parametrize(
    ("messages", "answer"),
    [
        (["help"], None),
        (["What's left?"], "2 open todos:\n1. buy milk (#shop)\n2. call Mia (due tomorrow, high priority)"),
        (["please list all my todos"], None),
        (["what have I done?"], "There is no completed todo."),
        (["what is due tomorrow?"], "1 open todo due tomorrow:\n1. call Mia (due tomorrow, high priority)"),
        (["what's due today"], "There is no open todo due today."),
        (["find MIA"], "1 matching todo:\n1. call Mia (due tomorrow, high priority)"),
        (["any todos about shop?"], "1 open todo about “shop”:\n1. buy milk (#shop)"),
        (
            ["remind me to water plants in 2 days #home"],
            f"Added “water plants”, due {IN_2_DAYS}, #home.",
        ),
        (["add a todo: read, low"], "Added “read”, low priority."),
        (["done with milk"], "Done: “buy milk”."),
        (["I've finished the call"], "Done: “call Mia”."),
        (["what's left", "mark 1 as done", "what's done?"], "1 completed todo:\n1. buy milk (done, #shop)"),
        (["check off milk", "reopen milk"], "Reopened “buy milk”."),
        (["done with milk", "milk is not done yet"], "Reopened “buy milk”."),
        (["rename milk to oat milk"], "Renamed to “oat milk”."),
        (["move milk to tomorrow"], "“buy milk” is now due tomorrow."),
        (["milk is due 2026-02-30"], "There is no such day: 2026-02-30. Which day do you mean?"),
        (["remove the due date from mia"], "“call Mia” has no due date any more."),
        (["make milk high priority"], "“buy milk” now has high priority."),
        (["tag milk with #dairy and cold"], "“buy milk” is tagged shop, dairy, cold."),
        (["what's left", "delete the last one"], "Deleted “call Mia”."),
        (["what's left", "delete 2"], "Deleted “call Mia”."),
        (["delete 2"], "Which todo do you mean? Say a word from it, or ask me “what's left?” first."),
        (["what's left", "delete 7"], "There is no number 7: the list has 2 todos."),
        (["add x", "delete it"], "Deleted “x”."),
        (["delete it"], "Which todo do you mean? Say a word from it."),
        (["done with nothing here"], "I found no open todo about “nothing here”."),
        (["add buy tea", "done with buy", "the second"], "Done: “buy tea”."),
        (["what's left", "done with the first", "reopen the first"], "Reopened “buy milk”."),
        (["sing a song"], None),
    ],
    ids=lambda value: " / ".join(value) if isinstance(value, list) else "",
)
async def test_the_rules_understand(client, messages, answer):
    await client.post("/api/todos", json={"title": "buy milk", "tags": ["shop"]})
    tomorrow = (TODAY + timedelta(1)).isoformat()
    await client.post("/api/todos", json={"title": "call Mia", "due_date": tomorrow, "priority": "high"})
    conversation = None
    for message in messages:
        reply = await client.post("/api/chat", json={"message": message, "conversation_id": conversation})
        told = reply.json()
        conversation = told["conversation_id"]
    if answer is None:
        assert told["text"]
        assert told["todos_changed"] is False
    else:
        assert told["text"] == answer


async def test_words_that_match_several_todos_change_nothing_and_ask_which(client):
    for title in ("buy milk", "sell milk"):
        await client.post("/api/todos", json={"title": title})
    told = (await client.post("/api/chat", json={"message": "delete milk"})).json()
    assert told["text"] == "2 todos match “milk”. Which one? Say its number.\n1. buy milk\n2. sell milk"
    assert (await client.get("/api/todos")).json()["total"] == 2


async def test_a_title_that_is_too_long_is_refused_in_words(client):
    told = (await client.post("/api/chat", json={"message": f"add {'x' * 501}"})).json()
    assert told["text"].startswith("That is not possible: title: ")
    assert told["tools"] == [{"name": "add_todo", "outcome": "refused"}]
    assert told["todos_changed"] is False

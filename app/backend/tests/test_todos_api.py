import asyncio
import uuid

import httpx2
import pytest

from .conftest import SHARED_DATABASE, run_sql
from .postgres import Postgres


async def add(client: httpx2.AsyncClient, title: str, **fields: object) -> dict:
    answer = await client.post("/api/todos", json={"title": title, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def titles(client: httpx2.AsyncClient, **query: object) -> list[str]:
    answer = await client.get("/api/todos", params=query)
    assert answer.status_code == 200, answer.text
    return [todo["title"] for todo in answer.json()["items"]]


async def test_a_created_todo_is_read_back_as_it_was_answered(client):
    made = await add(client, "  buy milk ", due_date="2026-12-01", priority="high", tags=["Shop", "shop", "a"])
    assert made["title"] == "buy milk"
    assert made["tags"] == ["shop", "a"]
    assert (made["due_date"], made["priority"], made["done"], made["version"]) == ("2026-12-01", "high", False, 1)
    assert (await client.get(f"/api/todos/{made['id']}")).json() == made
    assert (await client.get("/api/todos")).json() == {"items": [made], "total": 1}


async def test_the_list_is_filtered_by_state_and_searched_without_case(client):
    milk, _, percent = await add(client, "Buy MILK"), await add(client, "call Mia"), await add(client, "give 100%_")
    await add(client, "read", tags=["milky"])
    await client.post(f"/api/todos/{milk['id']}/complete")
    assert await titles(client, state="done") == ["Buy MILK"]
    assert await titles(client, state="open") == ["call Mia", "give 100%_", "read"]
    assert await titles(client, q="milk") == ["Buy MILK", "read"]
    assert await titles(client, q="milk", state="open") == ["read"]
    assert await titles(client, q="%") == [percent["title"]]
    assert await titles(client, q="0_") == []


async def test_every_word_of_a_search_is_found_wherever_it_is_and_a_tag_by_its_name(client):
    await add(client, "Buy oat milk", tags=["shop"], notes="the blue carton\nfrom Ana's")
    await add(client, "Workshop", tags=["work"])
    await add(client, "Milk the workers of #shop")
    assert await titles(client, q="milk buy") == ["Buy oat milk"]
    assert await titles(client, q=" carton  SHOP ") == ["Buy oat milk"]
    assert await titles(client, q="milk work") == ["Milk the workers of #shop"]
    assert await titles(client, q="#work") == ["Workshop"]
    assert await titles(client, q="#Shop milk") == ["Buy oat milk", "Milk the workers of #shop"]
    assert await titles(client, q="#") == ["Milk the workers of #shop"]


async def test_notes_are_kept_in_their_lines_and_cleared(client):
    made = await add(client, "call Ana", notes=" about the\ninvoice\n")
    assert made["notes"] == "about the\ninvoice"
    url = f"/api/todos/{made['id']}"
    await client.delete(url)
    assert (await client.post(f"{url}/restore")).json()["notes"] == "about the\ninvoice"
    assert (await client.patch(url, json={"version": 1, "notes": ""})).json()["notes"] == ""
    for notes in ("x" * 4001, "nul \x00", None, 1):
        assert (await client.patch(url, json={"version": 2, "notes": notes})).status_code == 422


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("created", "asc", ["b", "C", "a"]),
        ("created", "desc", ["a", "C", "b"]),
        ("title", "asc", ["a", "b", "C"]),
        ("title", "desc", ["C", "b", "a"]),
        ("priority", "desc", ["a", "C", "b"]),
        ("due", "asc", ["C", "a", "b"]),
        ("due", "desc", ["a", "C", "b"]),  # without a date comes last in both orders
    ],
)
async def test_the_list_is_sorted(client, sort, order, expected):
    await add(client, "b", priority="low")
    await add(client, "C", due_date="2026-01-01")
    await add(client, "a", due_date="2026-01-02", priority="high")
    assert await titles(client, sort=sort, order=order) == expected


async def test_pages_join_to_the_whole_list_and_count_it(client):
    for number in range(5):
        await add(client, f"t{number}")
    pages = [(await client.get("/api/todos", params={"limit": 2, "offset": offset})).json() for offset in (0, 2, 4, 6)]
    assert [todo["title"] for page in pages for todo in page["items"]] == ["t0", "t1", "t2", "t3", "t4"]
    assert [page["total"] for page in pages] == [5, 5, 5, 5]


async def test_the_same_idempotency_key_answers_the_first_todo(client):
    first = await client.post("/api/todos", json={"title": "once"}, headers={"Idempotency-Key": "k1"})
    again = await client.post("/api/todos", json={"title": "twice"}, headers={"Idempotency-Key": "k1"})
    other = await client.post("/api/todos", json={"title": "other"}, headers={"Idempotency-Key": "k2"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json() == first.json()
    assert await titles(client) == ["once", "other"]


async def test_requests_that_race_with_one_key_make_one_todo(client):
    async def post() -> httpx2.Response:
        return await client.post("/api/todos", json={"title": "race"}, headers={"Idempotency-Key": "race"})

    answers = await asyncio.gather(*(post() for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_change_sets_what_was_sent_and_nothing_else(client):
    made = await add(client, "old", due_date="2026-12-01", tags=["x"])
    url = f"/api/todos/{made['id']}"
    changed = (await client.patch(url, json={"version": 1, "title": "new", "due_date": None})).json()
    assert (changed["title"], changed["due_date"], changed["tags"], changed["version"]) == ("new", None, ["x"], 2)
    done = (await client.patch(url, json={"version": 2, "done": True})).json()
    assert done["done"] is True
    assert done["completed_at"] is not None
    reopened = (await client.patch(url, json={"version": 3, "done": False})).json()
    assert (reopened["done"], reopened["completed_at"], reopened["version"]) == (False, None, 4)


async def test_a_stale_change_is_refused_and_loses_nothing(client):
    made = await add(client, "old")
    url = f"/api/todos/{made['id']}"
    assert (await client.patch(url, json={"version": 1, "title": "theirs"})).status_code == 200
    refused = await client.patch(url, json={"version": 1, "title": "mine"})
    assert refused.status_code == 409
    assert refused.json()["current"] == (await client.get(url)).json()
    assert refused.json()["current"]["title"] == "theirs"


async def test_of_changes_that_race_on_one_version_exactly_one_wins(client):
    made = await add(client, "old")
    answers = await asyncio.gather(
        *(client.patch(f"/api/todos/{made['id']}", json={"version": 1, "title": f"n{i}"}) for i in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


async def test_completing_twice_changes_nothing_the_second_time(client):
    made = await add(client, "x")
    first = await client.post(f"/api/todos/{made['id']}/complete")
    again = await client.post(f"/api/todos/{made['id']}/complete")
    assert first.json()["done"] is True
    assert again.json() == first.json()


async def test_a_deleted_todo_is_gone(client):
    made = await add(client, "x")
    assert (await client.delete(f"/api/todos/{made['id']}")).status_code == 204
    assert (await client.get(f"/api/todos/{made['id']}")).status_code == 404
    assert (await client.delete(f"/api/todos/{made['id']}")).status_code == 404


async def test_an_unknown_id_is_a_404_everywhere(client):
    url = f"/api/todos/{uuid.uuid4()}"
    answers = [
        await client.get(url),
        await client.patch(url, json={"version": 1, "done": True}),
        await client.post(f"{url}/complete"),
        await client.delete(url),
        await client.get(f"/api/conversations/{uuid.uuid4()}/messages"),
        await client.delete(f"/api/conversations/{uuid.uuid4()}"),
        await client.post("/api/chat", json={"message": "hi", "conversation_id": str(uuid.uuid4())}),
    ]
    assert [answer.status_code for answer in answers] == [404] * 7


async def test_the_order_of_creation_survives_a_clock_that_jumps(client, postgres: Postgres):
    for title in ("first", "second", "third"):
        await add(client, title)
    for title, when in (("first", "2099-01-01"), ("third", "1999-01-01")):  # as if the clock had been wrong
        statement = "UPDATE todos SET created_at = $1::text::timestamptz WHERE title = $2"
        await run_sql(postgres, statement, when, title, database=SHARED_DATABASE)
    await add(client, "fourth")
    assert await titles(client) == ["first", "second", "third", "fourth"]


async def test_ten_thousand_todos_are_listed_searched_and_paged(client, postgres: Postgres):
    await run_sql(
        postgres,
        "INSERT INTO todos (id, title, priority, tags)"
        " SELECT gen_random_uuid(), 'todo ' || n, 2, '{}' FROM generate_series(1, 10000) n",
        database=SHARED_DATABASE,
    )
    last = (await client.get("/api/todos", params={"limit": 200, "offset": 9900})).json()
    assert (last["total"], len(last["items"]), last["items"][-1]["title"]) == (10_000, 100, "todo 10000")
    assert await titles(client, q="todo 9999", sort="title") == ["todo 9999"]
    told = (await client.post("/api/chat", json={"message": "done with todo 9999"})).json()
    assert told["text"] == "Done: “todo 9999”."
    left = (await client.post("/api/chat", json={"message": "what's left?"})).json()["text"]
    assert left.startswith("9999 open todos:")
    assert left.endswith("and 9979 more.")

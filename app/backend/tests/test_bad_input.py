import json

import pytest

HOSTILE_TEXTS = [
    "'; DROP TABLE todos; --",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "👩‍👩‍👧‍👦 e\u0301 ﷽ \U0001f9ff",
    "שלום \u202eevil\u202c مرحبا",
    '{{7*7}} ${jndi:ldap://x} %s %n \\" \\',
    "x" * 500,
]


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
async def test_hostile_text_is_stored_found_and_returned_unchanged(client, text):
    made = await client.post("/api/todos", json={"title": text})
    assert made.status_code == 201
    assert made.json()["title"] == text
    found = (await client.get("/api/todos", params={"q": text[:200]})).json()
    assert [todo["title"] for todo in found["items"]] == [text]
    told = await client.post("/api/chat", json={"message": f"find {text}"[:2000]})
    assert told.status_code == 200
    assert (await client.get("/api/todos")).json()["total"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": ""},
        {"title": " \u2003 "},
        {"title": "a\nb"},
        {"title": "nul \u0000"},
        {"title": "x" * 501},
        {"title": 1},
        {"title": None},
        {"title": ["x"]},
        {"title": "x", "due_date": "tomorrow"},
        {"title": "x", "due_date": "2026-02-30"},
        {"title": "x", "due_date": 1735689600},
        {"title": "x", "due_date": "2026-01-01T00:00:00Z"},
        {"title": "x", "priority": "urgent"},
        {"title": "x", "priority": 3},
        {"title": "x", "tags": "a"},
        {"title": "x", "tags": ["two words"]},
        {"title": "x", "tags": ["x" * 41]},
        {"title": "x", "tags": [str(n) for n in range(11)]},
        {"title": "x", "done": True},
        [],
        "title",
        None,
    ],
)
async def test_a_wrong_draft_is_refused_with_the_field_and_without_the_value(client, body):
    answer = await client.post("/api/todos", json=body)
    assert answer.status_code == 422
    assert all(set(problem) == {"loc", "msg", "type"} for problem in answer.json()["detail"])
    assert (await client.get("/api/todos")).json()["total"] == 0


async def test_text_that_utf8_cannot_carry_is_refused(client):
    answer = await client.post(
        "/api/todos", content=rb'{"title": "\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "change", [{}, {"done": "yes"}, {"title": None}, {"version": 0}, {"version": "1"}, {"id": "x"}]
)
async def test_a_wrong_change_is_refused_and_changes_nothing(client, change):
    made = (await client.post("/api/todos", json={"title": "x"})).json()
    answer = await client.patch(f"/api/todos/{made['id']}", json={"version": 1, **change})
    assert answer.status_code == 422
    assert (await client.get(f"/api/todos/{made['id']}")).json() == made


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "offset=-1", "offset=99999999999", "state=maybe", "sort=id", "order=up",
     "q=%00", "unknown=1", f"q={'x' * 201}"],
)  # fmt: skip
async def test_a_wrong_query_is_refused(client, query):
    assert (await client.get(f"/api/todos?{query}")).status_code == 422


@pytest.mark.parametrize("content", [b"", b"{", b'{"title": "x"', b"\xff\xfe", b"title=x", b"[" * 10_000])
@pytest.mark.parametrize("path", ["/api/todos", "/api/chat"])
async def test_malformed_json_is_a_plain_4xx(client, path, content):
    answer = await client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert "detail" in answer.json()


@pytest.mark.parametrize("path", ["/api/todos", "/api/chat", "/mcp"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_one_megabyte_is_refused(client, path, chunked):
    body = json.dumps({"title": "x" * 1_000_000}).encode()

    async def chunks():
        for start in range(0, len(body), 16_384):
            yield body[start : start + 16_384]

    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    answer = await client.post(path, content=chunks() if chunked else body, headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("todo_id", ["1", "not-a-uuid", "%00", "..%2f..%2fetc", "0" * 400])
async def test_an_id_that_is_none_is_refused(client, todo_id):
    assert (await client.get(f"/api/todos/{todo_id}")).status_code in (404, 422)


@pytest.mark.parametrize("key", ["", "with space", "é", "x" * 201])
async def test_a_wrong_idempotency_key_is_refused(client, key):
    answer = await client.post("/api/todos", json={"title": "x"}, headers={"Idempotency-Key": key.encode()})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"message": ""}, {"message": "  "}, {"message": "x" * 2001}, {"message": 5}, {"message": "a\u0000"},
             {"message": "hi", "conversation_id": "x"}],
)  # fmt: skip
async def test_a_wrong_chat_request_is_refused(client, body):
    assert (await client.post("/api/chat", json=body)).status_code == 422

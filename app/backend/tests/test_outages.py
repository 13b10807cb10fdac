import asyncio
import socket
import time

import asyncpg
import httpx2
import pytest
import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_backend.app import create_app
from todo_backend.tables import metadata

from .conftest import (
    SHARED_DATABASE,
    _lifespan,
    client_of,
    make_settings,
    migrate_database,
    run_sql,
    running_app,
    wait_ready,
)
from .postgres import QUOTED_PASSWORD, PgBouncer, Postgres


async def test_a_write_during_an_outage_is_refused_and_the_app_finds_the_database_back(
    own_postgres: Postgres, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("todo_backend.database.RETRY_FOR", 1.0)
    url = own_postgres.url("postgres")
    await migrate_database(url)
    async with running_app(url) as client:
        kept = (await client.post("/api/todos", json={"title": "kept"})).json()
        own_postgres.stop("immediate")
        refused = await client.post("/api/todos", json={"title": "lost?"})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.json() == {"detail": "the database does not answer: connection refused"}
        assert (await client.get("/ready")).json() == {"status": "unavailable", "reason": "connection refused"}
        assert (await client.get("/health")).status_code == 200
        assert (await client.post("/api/chat", json={"message": "hi"})).status_code == 503
        own_postgres.start()
        await wait_ready(client)  # without any request: an unready pod gets none
        assert (await client.get("/api/todos")).json() == {"items": [kept], "total": 1}


async def test_a_restart_of_the_database_is_not_noticed(own_postgres: Postgres):
    url = own_postgres.url("postgres")
    await migrate_database(url)
    async with running_app(url) as client:
        await client.post("/api/todos", json={"title": "before"})
        own_postgres.stop("fast")
        own_postgres.start()
        answers = [await client.post("/api/todos", json={"title": f"after {n}"}) for n in range(6)]
        assert [answer.status_code for answer in answers] == [201] * 6
        assert (await client.get("/api/todos")).json()["total"] == 7


async def test_no_read_fails_through_restarts_also_one_whose_transaction_the_database_ends_between_two_queries(
    own_postgres: Postgres,
):
    url = own_postgres.url("postgres")
    await migrate_database(url)
    async with running_app(url) as client:
        ended, seen = asyncio.Event(), []

        async def read() -> None:
            while not ended.is_set():
                answer = await client.get("/api/todos")
                seen.append((answer.status_code, answer.text if answer.status_code != 200 else ""))

        readers = [asyncio.create_task(read()) for _ in range(8)]
        for _ in range(4):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(own_postgres.stop, "fast")
            await asyncio.to_thread(own_postgres.start)
        await asyncio.sleep(0.5)
        ended.set()
        await asyncio.gather(*readers)
        assert len(seen) > 50
        assert {status for status in seen if status[0] != 200} == set()


async def test_writes_through_a_restart_are_stored_exactly_when_they_were_confirmed(own_postgres: Postgres):
    url = own_postgres.url("postgres")
    await migrate_database(url)
    async with running_app(url) as client:
        answers: list[httpx2.Response] = []

        async def write(number: int) -> None:
            answers.append(await client.post("/api/todos", json={"title": f"t{number}"}))

        async def restart() -> None:
            await asyncio.to_thread(own_postgres.stop, "immediate")
            await asyncio.to_thread(own_postgres.start)

        restarting = asyncio.create_task(restart())
        number = 0
        while not restarting.done() or number < 40:
            await asyncio.gather(*(write(number + n) for n in range(4)))
            number += 4
        await restarting
        await wait_ready(client)
        confirmed = sorted(answer.json()["title"] for answer in answers if answer.status_code == 201)
        stored = await run_sql(own_postgres, "SELECT title FROM todos")
        # A COMMIT whose answer was lost may be stored unconfirmed; never the other way round, and never twice.
        titles = [row["title"] for row in stored]
        assert set(confirmed) <= set(titles)
        assert len(titles) == len(set(titles))
        assert {answer.status_code for answer in answers} <= {201, 503}


async def test_a_database_that_is_down_at_start_is_waited_for(own_postgres: Postgres):
    url = own_postgres.url("postgres")
    await migrate_database(url)
    own_postgres.stop()
    app = create_app(make_settings(url))
    async with _lifespan(app), client_of(app) as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await client.get("/ready")).status_code == 503
        own_postgres.start()
        await wait_ready(client)


async def test_while_the_password_changes_the_one_that_the_database_takes_is_used(database_url: str):
    old = database_url.replace(QUOTED_PASSWORD, "no-longer")
    elsewhere = database_url.replace("127.0.0.1", "127.0.0.9")  # of the second URL the login counts, and nothing else
    async with running_app(old, DATABASE_URL_ALSO=elsewhere) as client:
        assert (await client.get("/api/todos")).status_code == 200
    async with running_app(database_url, DATABASE_URL_ALSO=old) as client:
        assert (await client.get("/api/todos")).status_code == 200


async def test_a_database_without_migrations_is_not_ready(postgres: Postgres, database_url: str, database: str):
    await run_sql(postgres, f"DROP TABLE {', '.join(metadata.tables)}, alembic_version", database=database)
    app = create_app(make_settings(database_url))
    async with _lifespan(app), client_of(app) as client:
        deep = await client.get("/ready?deep=1")
        assert deep.status_code == 503
        assert deep.json()["reason"] == "the tables do not exist: the migrations have not run"
        await migrate_database(database_url)
        assert (await client.get("/ready?deep=1")).status_code == 200


async def test_a_relation_that_is_none_of_ours_is_named(postgres: Postgres, database_url: str, database: str):
    body = "BEGIN INSERT INTO audit_log VALUES (1); RETURN NEW; END"
    trigger = "CREATE TRIGGER audited BEFORE INSERT ON todos FOR EACH ROW EXECUTE FUNCTION audited()"
    await run_sql(
        postgres, f"CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$", database=database
    )
    await run_sql(postgres, trigger, database=database)
    async with running_app(database_url) as client:
        answer = await client.post("/api/todos", json={"title": "call Ana"})
    assert answer.status_code == 503
    assert 'relation "audit_log" does not exist, and the app has none of that name' in answer.json()["detail"]


async def test_a_database_that_takes_no_writes_is_told_by_the_deep_check_and_goes_on_serving_what_reads(
    postgres: Postgres, database: str, database_url: str
):
    await run_sql(postgres, f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    async with running_app(database_url) as client:
        deep = await client.get("/ready?deep=1")
        assert (deep.status_code, deep.json()["reason"]) == (503, "the database is read-only")
        assert (await client.get("/ready")).status_code == 200
        assert (await client.get("/api/todos")).status_code == 200


@pytest.mark.parametrize(("stamp", "told"), [("0002", True), ("0004", False), ("f00d", False)])
async def test_a_database_whose_stamp_was_set_back_is_told_by_the_deep_check(
    postgres: Postgres, database: str, database_url: str, stamp: str, *, told: bool
):
    await run_sql(postgres, f"UPDATE alembic_version SET version_num = '{stamp}'", database=database)
    async with running_app(database_url) as client:
        deep = await client.get("/ready?deep=1")
        assert deep.status_code == (503 if told else 200)
        assert ("alembic_version says 0002" in deep.text) is told
        assert (await client.get("/ready")).status_code == 200


async def test_while_idle_nothing_queries_the_database_however_often_probes_ask(client, postgres: Postgres):
    await client.get("/api/todos")

    async def last_query() -> list[asyncpg.Record]:
        return await run_sql(
            postgres,
            "SELECT count(*), max(query_start) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            SHARED_DATABASE,
        )

    before = await last_query()
    for _ in range(100):
        assert (await client.get("/ready")).status_code == 200
        await client.get("/metrics")
    assert await last_query() == before
    assert (await client.get("/ready?deep=1")).status_code == 200
    assert await last_query() != before


async def test_connections_that_the_server_ended_are_replaced_unseen(client, postgres: Postgres):
    await asyncio.gather(*(client.get("/api/todos") for _ in range(5)))
    ended = await run_sql(postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shared'")
    assert ended
    assert {(await client.get("/api/todos")).status_code for _ in range(8)} == {200}


async def test_a_connection_that_was_lost_while_it_rested_is_replaced_before_it_is_used(
    postgres: Postgres, database: str, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("todo_backend.database.RETRY_FOR", 0)
    monkeypatch.setattr("todo_backend.database.PING_AFTER", 0)
    async with running_app(database_url) as client:
        assert await run_sql(
            postgres, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database
        )
        assert (await client.get("/api/todos")).status_code == 200


async def test_a_busy_pool_is_waited_for_as_a_lost_connection_is(client, monkeypatch: pytest.MonkeyPatch):
    """While a database starts again elsewhere, attempts to reach it where it was may hold the whole pool."""
    connect = AsyncEngine.connect
    busy = [sqlalchemy.exc.TimeoutError("QueuePool limit reached")]

    def connect_later(engine: AsyncEngine):
        if busy:
            raise busy.pop()
        return connect(engine)

    monkeypatch.setattr(AsyncEngine, "connect", connect_later)
    assert (await client.get("/api/todos")).status_code == 200
    assert not busy


async def test_a_lock_that_is_held_is_told_from_a_network_that_is_shut(
    monkeypatch: pytest.MonkeyPatch, postgres: Postgres, database_url: str, database: str
):
    monkeypatch.setattr("todo_backend.database.STATEMENT_TIMEOUT", 0.5)
    monkeypatch.setattr("todo_backend.database.RETRY_FOR", 1.0)
    holder = await asyncpg.connect(postgres.url(database, "sslmode=disable"))
    try:
        async with running_app(database_url) as client, holder.transaction():
            await holder.execute("LOCK TABLE todos IN ACCESS EXCLUSIVE MODE")
            answer = await client.get("/api/todos")
            assert answer.json()["detail"] == "the database does not answer: a query timed out (is a lock held?)"
    finally:
        await holder.close()


async def test_a_server_that_never_answers_is_a_503_within_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("todo_backend.database.CONNECT_TIMEOUT", 0.3)
    monkeypatch.setattr("todo_backend.database.RETRY_FOR", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and says nothing, as a swallowed route does
        app = create_app(make_settings(f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/d?sslmode=disable"))
        async with _lifespan(app), client_of(app) as client:
            started = time.monotonic()
            answer = await client.get("/api/todos")
            assert (answer.status_code, time.monotonic() - started < 10) == (503, True)
            assert answer.json()["detail"] == "the database does not answer: timed out (egress blocked?)"


@pytest.mark.parametrize(
    ("parameters", "is_ready"),
    [
        ("sslmode=require", True),
        ("sslmode=verify-ca&sslrootcert={root}", True),
        ("sslmode=verify-full&sslrootcert={root}", True),
        ("sslmode=require&channel_binding=require&sslrootcert={root}", True),
        ("sslmode=disable", True),
        ("", True),
        ("sslmode=verify-full", False),  # a certificate of an authority that nobody knows
        ("sslmode=require&channel_binding=require", False),
    ],
)
async def test_tls_is_what_the_url_asks_for(postgres: Postgres, database: str, parameters: str, is_ready: bool):
    url = postgres.url(database, parameters.format(root=postgres.root_certificate))
    app = create_app(make_settings(url))
    async with _lifespan(app), client_of(app) as client:
        answer = await client.get("/ready?deep=1")
        metrics = (await client.get("/metrics")).text
        if is_ready:
            assert answer.status_code == 200
            uses_tls = """
                SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
                WHERE a.datname = $1 AND pid <> pg_backend_pid()"""
            encrypted = {row["ssl"] for row in await run_sql(postgres, uses_tls, database)}
            assert encrypted == {"disable" not in parameters}
            assert ("\ntodo_db_certificate_expiry_timestamp_seconds 1" in metrics) == ("disable" not in parameters)
        else:
            assert answer.json()["reason"] == "TLS failed: the server's certificate could not be verified"


@pytest.mark.parametrize("told", ["&pgbouncer=true", ""])
async def test_everything_works_through_a_transaction_pooler(
    pgbouncer: PgBouncer, postgres: Postgres, database: str, told: str
):
    url = postgres.url(database, f"sslmode=disable{told}", port=pgbouncer.port)
    async with running_app(url) as client:

        async def one_round(number: int) -> None:
            made = (await client.post("/api/todos", json={"title": f"t{number}", "tags": ["a"]})).json()
            assert (
                await client.patch(f"/api/todos/{made['id']}", json={"version": 1, "done": True})
            ).status_code == 200
            assert (await client.get("/api/todos", params={"q": f"t{number}"})).status_code == 200
            told = await client.post("/api/chat", json={"message": f"delete t{number}"})
            assert told.status_code == 200

        await asyncio.gather(*(one_round(number) for number in range(100, 130)))
        assert (await client.get("/api/todos")).json()["total"] == 0

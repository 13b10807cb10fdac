"""The yardstick: a bare FastAPI route with one query, as a tutorial would write it."""

import os
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from todo_backend.database import parse_database_url

target = parse_database_url(os.environ["DATABASE_URL"])
engine = create_async_engine(target.url, connect_args={"ssl": target.tls}, pool_size=5, max_overflow=5)
app = FastAPI()


@app.get("/ready")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/todos")
async def list_todos() -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM todos ORDER BY position LIMIT 50"))
        return [dict(row) for row in rows.mappings()]

"""The REST API. Each function turns HTTP into one call of a service and its outcome back into HTTP."""

import asyncio
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response, Security
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.security import HTTPBearer
from sqlalchemy import Row

from todo_backend.answers import Answers
from todo_backend.chat import Chat
from todo_backend.clock import Clock
from todo_backend.conversations import Conversations
from todo_backend.database import DatabaseUnavailableError
from todo_backend.phrases import parse_todo
from todo_backend.schemas import (
    ChatAnswer,
    ChatHistory,
    ChatMessage,
    ChatRequest,
    Conflict,
    ConversationPage,
    Info,
    ParsedTodo,
    ParseRequest,
    Problem,
    Todo,
    TodoChange,
    TodoDraft,
    TodoFilter,
    TodoPage,
    Undone,
)
from todo_backend.todos import RefusedChangeError, StaleTodoError, Todos
from todo_backend.undo import Undo

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "There is none with this id."}}
# The middleware checks the token; this only tells OpenAPI about it.
_TOKEN = Security(HTTPBearer(auto_error=False, description="The value of API_TOKEN, when it is set."))
_EVERYWHERE: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The request cannot be read."},
    401: {"model": Problem, "description": "The bearer token is missing or wrong."},
    413: {"model": Problem, "description": "The body is too large."},
    503: {"model": Problem, "description": "The database does not answer; try again."},
}

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key again returns the todo that it made first.",
    ),
]


def api_router() -> APIRouter:
    """Make a router for `/api` with the token and the answers that all its routes share."""
    return APIRouter(prefix="/api", dependencies=[_TOKEN], responses=_EVERYWHERE)


def todo_routes(todos: Todos, info: Info) -> APIRouter:
    """Make the routes for todos."""
    router = api_router()

    @router.get("/info", tags=["info"])
    async def get_info() -> Info:
        """Tell the version and which assistant answers."""
        return info

    @router.get("/todos", tags=["todos"])
    async def list_todos(wanted: Annotated[TodoFilter, Query()]) -> TodoPage:
        """List todos: filtered, searched, sorted, one page."""
        return await todos.find(wanted)

    @router.post(
        "/todos",
        tags=["todos"],
        status_code=201,
        responses={200: {"model": Todo, "description": "The key was used before; this is its todo."}},
    )
    async def create_todo(draft: TodoDraft, response: Response, idempotency_key: IdempotencyKey = None) -> Todo:
        """Add a todo."""
        todo, is_new = await todos.create(draft, idempotency_key)
        response.status_code = 201 if is_new else 200
        return todo

    @router.get("/todos/{todo_id}", tags=["todos"], responses=_NOT_FOUND)
    async def get_todo(todo_id: uuid.UUID) -> Todo:
        """Return one todo."""
        return await todos.get(todo_id)

    @router.patch(
        "/todos/{todo_id}",
        tags=["todos"],
        response_model=Todo,
        responses=_NOT_FOUND
        | {
            409: {
                "model": Conflict,
                "description": "The version is old, or the todo has no date for a time; nothing was changed.",
            }
        },
    )
    async def update_todo(todo_id: uuid.UUID, change: TodoChange) -> Todo | JSONResponse:
        """Change some fields of a todo, unless someone else changed it first."""
        try:
            return await todos.update(todo_id, change)
        except (StaleTodoError, RefusedChangeError) as error:
            return JSONResponse(Conflict(detail=str(error), current=error.current).model_dump(mode="json"), 409)

    @router.post("/todos/{todo_id}/complete", tags=["todos"], responses=_NOT_FOUND)
    async def complete_todo(todo_id: uuid.UUID) -> Todo:
        """Complete a todo; a completed one stays as it is."""
        return await todos.complete(todo_id)

    @router.delete("/todos/{todo_id}", tags=["todos"], status_code=204, responses=_NOT_FOUND)
    async def delete_todo(todo_id: uuid.UUID) -> None:
        """Delete a todo; it can be restored for 30 days."""
        await todos.delete(todo_id)

    @router.post("/todos/{todo_id}/restore", tags=["todos"], responses=_NOT_FOUND)
    async def restore_todo(todo_id: uuid.UUID) -> Todo:
        """Bring a deleted todo back as it was; one that is not deleted stays as it is."""
        return await todos.restore(todo_id)

    return router


def parse_routes(clock: Clock) -> APIRouter:
    """Make the route for the words of an Add box."""
    router = api_router()

    @router.post("/parse", tags=["todos"])
    async def parse(request: ParseRequest) -> ParsedTodo:
        """Tell what the words of an Add box mean, as the chat would take them; nothing is changed."""
        return await parse_todo(request.text, clock.now(request.time_zone), request.date_format)

    return router


_STREAM = {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The answer."}


def chat_routes(chat: Chat, conversations: Conversations, answers: Answers, undo: Undo) -> APIRouter:
    """Make the routes for chat."""
    router = api_router()

    @router.post("/chat", tags=["chat"], response_model=ChatAnswer, responses=_NOT_FOUND | {200: _STREAM})
    async def ask(request: ChatRequest, accept: Annotated[str, Header()] = "") -> ChatAnswer | StreamingResponse:
        """Say something to the assistant: as a stream of events when `Accept` asks for one, else as a whole."""
        answer = answers.start(chat, await chat.ask(request))
        if "text/event-stream" in accept.lower():
            return StreamingResponse(answer.stream(), media_type="text/event-stream")
        whole = await asyncio.shield(answer.task)
        if whole is None:
            raise DatabaseUnavailableError("connect", "the answer could not be saved", repeatable=False)
        return whole

    @router.get("/conversations", tags=["chat"])
    async def list_conversations(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0
    ) -> ConversationPage:
        """List the conversations, the one in which something was said last first."""
        return await conversations.latest(limit, offset)

    @router.delete("/conversations/{conversation_id}", tags=["chat"], status_code=204, responses=_NOT_FOUND)
    async def delete_conversation(conversation_id: uuid.UUID) -> None:
        """Delete a conversation for good; the todos that it made stay, and can no longer be undone by it."""
        await conversations.delete(conversation_id)

    @router.get("/conversations/{conversation_id}/messages", tags=["chat"], responses=_NOT_FOUND)
    async def list_messages(conversation_id: uuid.UUID) -> ChatHistory:
        """List what was said in a conversation, oldest first."""
        said = await conversations.messages(conversation_id)
        return ChatHistory(items=[_message(message) for message in said])

    @router.post(
        "/undo/{change_id}",
        tags=["chat"],
        responses=_NOT_FOUND | {409: {"model": Problem, "description": "A todo was changed since; nothing was."}},
    )
    async def undo_change(change_id: uuid.UUID) -> Undone:
        """Put back all that one answer changed; again, it answers the same."""
        return await undo.undo(change_id)

    return router


def _message(message: Row[Any]) -> ChatMessage:
    context = message.context or {}
    return ChatMessage(
        id=message.id,
        role=message.role,
        text=message.text,
        created_at=message.created_at,
        undo=context.get("undo"),
        choices=context.get("choices") or [],
    )

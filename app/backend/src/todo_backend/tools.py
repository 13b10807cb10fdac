"""The MCP server: seven tools over the todo service, for the assistants and for any other MCP client."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field, ValidationError

from todo_backend import __version__
from todo_backend.database import DatabaseUnavailableError
from todo_backend.metrics import UNKNOWN_TOOL, Metrics
from todo_backend.schemas import (
    WORDS,
    DueDate,
    DueTime,
    Notes,
    Order,
    Priority,
    SearchText,
    Sort,
    State,
    Tags,
    Title,
    Todo,
    TodoChange,
    TodoDraft,
    TodoFilter,
    TodoPage,
    ToolName,
    ToolOutcome,
    Version,
)
from todo_backend.todos import RefusedChangeError, StaleTodoError, TodoNotFoundError, Todos
from todo_backend.undo import Change, current_change

TOOL_NAMES: tuple[ToolName, ...] = get_args(ToolName)
# Where a failed call tells whether the caller (`refused`) or the service (`error`) is at fault.
OUTCOME_KEY = "outcome"
# Where a call of our own assistants tells which answer it belongs to.
CHANGE_KEY = "change"

TodoId = Annotated[uuid.UUID, Field(description="The todo's id, as list_todos and search_todos return it.")]
Limit = Annotated[int, Field(ge=1, le=200)]


class DeletedTodo(BaseModel):
    """A todo that was deleted."""

    deleted: uuid.UUID


class TodoServer(MCPServer):
    """The MCP server, which counts its calls and says in plain words why one failed."""

    def __init__(self, metrics: Metrics, *, trusts_change: bool) -> None:
        super().__init__(
            "todo-chatbot",
            version=__version__,
            instructions="Read and change the user's todo list. Ids come from list_todos and search_todos.",
            subscriptions=False,
        )
        self._metrics = metrics
        self._trusts_change = trusts_change

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool; a failure is an error result whose `_meta` tells the outcome, never an exception."""
        outcome: ToolOutcome = "ok"
        result: CallToolResult | InputRequiredResult
        change = current_change.set(_change(context) if self._trusts_change else None)
        try:
            result = await super().call_tool(name, arguments, context)
        except ToolError as error:
            outcome, reason = _explain(error)
            content = [TextContent(text=reason)]
            result = CallToolResult(content=[*content], is_error=True, _meta={OUTCOME_KEY: outcome})
        finally:
            current_change.reset(change)
        self._metrics.tool_calls.labels(tool_label(name), outcome).inc()
        return result


def _change(context: Context[Any, Any] | None) -> Change | None:
    meta: Mapping[str, Any] = (context.request_context.meta if context else None) or {}
    told = meta.get(CHANGE_KEY)
    return Change(uuid.UUID(told["id"]), uuid.UUID(told["conversation_id"])) if told else None


def tool_label(name: str) -> str:
    """Return a tool's name as a metric label; a name that a client made up becomes `unknown`."""
    return name if name in TOOL_NAMES else UNKNOWN_TOOL


def _explain(error: ToolError) -> tuple[Literal["refused", "error"], str]:
    match error.__cause__:
        case DatabaseUnavailableError():
            return "error", "the todo list cannot be reached right now; nothing was changed"
        case TodoNotFoundError():
            return "refused", "there is no todo with this id"
        case StaleTodoError() as cause:
            return "refused", f"the todo was changed in the meantime; it now is {cause.current.model_dump_json()}"
        case ValidationError() as cause:
            return "refused", "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in cause.errors())
        case RefusedChangeError() as cause:
            return "refused", str(cause)
    return ("error", "the tool failed") if isinstance(error, UnexpectedToolError) else ("refused", str(error))


def todo_server(todos: Todos, metrics: Metrics, *, trusts_change: bool = False) -> MCPServer:
    """Make the MCP server whose tools act on `todos`.

    `trusts_change` is for our own assistants, whose calls tell the answer that they belong to; a stranger's may not.
    """
    server = TodoServer(metrics, trusts_change=trusts_change)
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    adds = ToolAnnotations(destructive_hint=False, idempotent_hint=False, open_world_hint=False)
    changes = ToolAnnotations(destructive_hint=False, idempotent_hint=True, open_world_hint=False)
    destroys = ToolAnnotations(destructive_hint=True, idempotent_hint=True, open_world_hint=False)

    @server.tool(annotations=adds)
    async def add_todo(
        title: Title,
        due_date: DueDate | None = None,
        due_time: DueTime | None = None,
        priority: Priority = "normal",
        tags: Tags | None = None,
        notes: Notes = "",
    ) -> Todo:
        """Add a todo to the list."""
        draft = TodoDraft(
            title=title, due_date=due_date, due_time=due_time, priority=priority, tags=tags or [], notes=notes
        )
        todo, _ = await todos.create(draft)
        return todo

    @server.tool(annotations=reads)
    async def list_todos(  # noqa: PLR0913, PLR0917 - MCP passes arguments by name
        state: State = "open",
        due_from: DueDate | None = None,
        due_until: DueDate | None = None,
        sort: Sort = "created",
        order: Order = "asc",
        limit: Limit = 50,
        offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
        ids: Annotated[
            list[uuid.UUID] | None, Field(max_length=200, description="Only the todos with these ids.")
        ] = None,
    ) -> TodoPage:
        """List todos: the open ones unless `state` says otherwise."""
        wanted = TodoFilter(
            state=state, due_from=due_from, due_until=due_until, sort=sort, order=order, limit=limit, offset=offset
        )
        return await todos.find(wanted, ids)

    @server.tool(annotations=reads)
    async def search_todos(
        text: Annotated[SearchText, Field(min_length=1, description=WORDS)],
        state: State = "all",
        limit: Limit = 50,
    ) -> TodoPage:
        """Find todos by words of their title, tags or notes."""
        return await todos.find(TodoFilter(q=text, state=state, limit=limit))

    @server.tool(annotations=changes)
    async def complete_todo(todo_id: TodoId) -> Todo:
        """Mark a todo as done."""
        return await todos.complete(todo_id)

    @server.tool(annotations=changes)
    async def update_todo(  # noqa: PLR0913, PLR0917 - MCP passes arguments by name
        todo_id: TodoId,
        version: Version,
        title: Title | None = None,
        due_date: DueDate | None = None,
        clear_due_date: bool = False,
        due_time: DueTime | None = None,
        clear_due_time: bool = False,
        priority: Priority | None = None,
        tags: Tags | None = None,
        notes: Notes | None = None,
        done: bool | None = None,
    ) -> Todo:
        """Change the given fields of a todo; refused when it is no longer at `version`."""
        given: dict[str, Any] = {
            "title": title,
            "due_date": due_date,
            "due_time": due_time,
            "priority": priority,
            "tags": tags,
            "notes": notes,
            "done": done,
        }
        values = {name: value for name, value in given.items() if value is not None}
        if clear_due_date:
            values["due_date"] = None
        if clear_due_time:
            values["due_time"] = None
        return await todos.update(todo_id, TodoChange.model_validate({"version": version} | values))

    @server.tool(annotations=destroys)
    async def delete_todo(todo_id: TodoId) -> DeletedTodo:
        """Delete a todo. Only when the user asks for it. For 30 days restore_todo can undo it."""
        await todos.delete(todo_id)
        return DeletedTodo(deleted=todo_id)

    @server.tool(annotations=changes)
    async def restore_todo(todo_id: TodoId) -> Todo:
        """Bring back a todo that was deleted in the last 30 days, as it was."""
        return await todos.restore(todo_id)

    return server

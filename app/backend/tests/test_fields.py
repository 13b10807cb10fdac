"""REST, MCP and chat know the same fields of a todo: whoever adds one adds it everywhere."""

import re
from pathlib import Path

from todo_backend.evaluate import _FIELDS
from todo_backend.metrics import Metrics
from todo_backend.phrases import Phrase
from todo_backend.schemas import ParsedTodo, Todo, TodoChange, TodoDraft
from todo_backend.tables import deleted_todos, todos
from todo_backend.todos import Todos
from todo_backend.tools import todo_server

MANAGED = {"id", "done", "version", "created_at", "updated_at", "completed_at"}  # not given by whoever adds a todo
GIVEN = set(Todo.model_fields) - MANAGED
UNREAD = {"notes"}  # free text: nothing is read out of a title into it
INNER = {"position", "idempotency_key"}


async def properties_of(tool: str) -> set[str]:
    server = todo_server(Todos(None), Metrics())
    (found,) = [each for each in await server.list_tools() if each.name == tool]
    return set(found.input_schema["properties"])


def test_rest_takes_and_returns_the_same_fields():
    assert set(TodoDraft.model_fields) == GIVEN
    assert set(TodoChange.model_fields) == GIVEN | {"version", "done"}


async def test_mcp_takes_the_fields_of_rest():
    assert await properties_of("add_todo") == GIVEN
    clears = {"clear_due_date", "clear_due_time"}
    assert await properties_of("update_todo") - clears == GIVEN | {"todo_id", "version", "done"}


def test_the_chats_parser_and_the_add_box_fill_the_fields_of_rest():
    assert set(ParsedTodo.model_fields) - {"note"} == GIVEN - UNREAD
    assert set(Phrase.__dataclass_fields__) - {"impossible", "repeats", "kept"} == GIVEN - UNREAD
    assert set(_FIELDS.values()) == GIVEN | {"done"}


def test_the_tables_hold_the_fields_and_a_deleted_todo_keeps_them_all():
    assert set(todos.columns.keys()) == set(Todo.model_fields) | INNER
    assert set(deleted_todos.columns.keys()) == set(todos.columns.keys()) | {"deleted_at"}
    for column in todos.columns:
        assert type(deleted_todos.c[column.name].type) is type(column.type)


PAGE = Path(__file__).parents[2] / "frontend/src/shared/todo.ts"


def fields_of(interface: str) -> set[str]:
    """The fields that the page's TypeScript declares, without those of what it extends."""
    found = re.search(rf"export interface {interface}\b[^{{]*\{{(.*?)\n\}}", PAGE.read_text(), re.DOTALL)
    assert found, interface
    return set(re.findall(r"^  (\w+)\??:", found[1], re.MULTILINE))


def test_the_page_knows_the_fields_of_rest():
    assert fields_of("TodoDraft") == GIVEN
    assert fields_of("Todo") | fields_of("TodoDraft") == set(Todo.model_fields)
    assert fields_of("ParsedTodo") | fields_of("TodoDraft") - UNREAD == set(ParsedTodo.model_fields)

"""What goes over the wire, for REST and for the MCP tools alike."""

import re
import uuid
from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    model_validator,
)
from pydantic.config import JsonDict

# Spelled out, since \s means something else to every dialect of regular expressions that reads the OpenAPI document.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_BLANK = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TITLE_PATTERN = rf"^[^{_CONTROL}]*[^{_BLANK}][^{_CONTROL}]*$"
_TAG_PATTERN = rf"^[^{_BLANK},]+$"
_MESSAGE_PATTERN = rf"^[^\x00]*[^{_BLANK}][^\x00]*$"
_TEXT_PATTERN = r"^[^\x00]*$"
_TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _only_date_text(value: object) -> object:
    # Pydantic would also take a timestamp or a date with a time; the API takes one form.
    is_date_text = isinstance(value, str) and len(value) == len("2026-01-31")
    if not is_date_text and type(value) is not date:
        raise ValueError("must be a date like 2026-01-31")
    return value


def _only_time_text(value: object) -> object:
    # Pydantic would also take seconds, a zone, or a number.
    if type(value) is time or (isinstance(value, str) and re.fullmatch(_TIME_PATTERN, value, re.ASCII)):
        return value
    raise ValueError("must be a time like 17:30")


def _known_zone(value: str) -> str:
    if value not in _time_zones():
        raise ValueError("must be the name of a time zone, like Europe/Berlin")
    return value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _only_number(value: object) -> object:
    # JSON knows one kind of number, so 1.0 is an integer too; a text or a truth value is none.
    if type(value) not in (int, float):
        raise ValueError("must be a whole number")
    return value


def _unique_lower(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tag.lower() for tag in tags))


Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=_TITLE_PATTERN),
    AfterValidator(str.strip),
    Field(description="What to do, on one line."),
]
DueDate = Annotated[
    date,
    BeforeValidator(
        _only_date_text, json_schema_input_type=Annotated[str, Field(json_schema_extra={"format": "date"})]
    ),
    Field(description="The day it is due, as YYYY-MM-DD."),
]
DueTime = Annotated[
    time,
    BeforeValidator(_only_time_text, json_schema_input_type=Annotated[str, Field(pattern=_TIME_PATTERN)]),
    PlainSerializer(lambda value: value.strftime("%H:%M"), return_type=str),
    Field(description="The time of that day, as HH:MM on the user's clock; only with a due date."),
]
TimeZone = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(_known_zone),
    Field(
        description="IANA name of the visitor's time zone, which says what today is.",
        json_schema_extra=lambda schema: schema.update(enum=sorted(_time_zones())),
    ),
]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_TAG_PATTERN)]
Tags = Annotated[
    list[Tag], Field(max_length=10), AfterValidator(_unique_lower), Field(description="Words to find it by.")
]
Notes = Annotated[
    str,
    StringConstraints(max_length=4000, pattern=_TEXT_PATTERN),
    AfterValidator(str.strip),
    Field(description="More about it, on as many lines as it takes."),
]
Priority = Literal["low", "normal", "high"]
Version = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The version that the caller saw."), BeforeValidator(_only_number)
]
SearchText = Annotated[str, StringConstraints(max_length=200, pattern=_TEXT_PATTERN)]
WORDS = "Words that are all in the title, tags or notes, without case; #word is a tag of that name."
State = Literal["all", "open", "done"]
Sort = Literal["created", "due", "priority", "title"]
Order = Literal["asc", "desc"]
HourCycle = Literal["h12", "h23"]
DateFormat = Literal["EEE d MMM", "EEE, d MMM", "EEE, MMM d"]  # Unicode's patterns: Sun 6 Dec; Sun, 6 Dec; Sun, Dec 6
AssistantName = Literal["gemini", "rules"]
ToolName = Literal[
    "add_todo", "list_todos", "search_todos", "complete_todo", "update_todo", "delete_todo", "restore_todo"
]
ToolOutcome = Literal["ok", "refused", "error"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


TIME_WITHOUT_DATE = "a due_time needs a due_date"
_NO_TIME: JsonDict = {"properties": {"due_time": {"type": "null"}}}
_HAS_DATE: JsonDict = {"properties": {"due_date": {"type": "string"}}, "required": ["due_date"]}
_MAY_HAVE_DATE: JsonDict = {"properties": {"due_date": {"type": "string"}}}


class TodoDraft(_Body):
    """A todo to be added."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"anyOf": [_NO_TIME, _HAS_DATE]})

    title: Title
    due_date: DueDate | None = None
    due_time: DueTime | None = None
    priority: Priority = "normal"
    tags: Tags = []
    notes: Notes = ""

    @model_validator(mode="after")
    def _time_has_date(self) -> "TodoDraft":
        if self.due_time is not None and self.due_date is None:
            raise ValueError(TIME_WITHOUT_DATE)
        return self


class TodoChange(_Body):
    """New values for some fields of a todo, and the version that they are based on."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"minProperties": 2, "anyOf": [_NO_TIME, _MAY_HAVE_DATE]}
    )

    version: Version
    # None is a value of due_date and due_time; elsewhere it stands for "not given" and is refused when sent.
    title: Title = ""
    due_date: DueDate | None = None
    due_time: DueTime | None = None
    priority: Priority = "normal"
    tags: Tags = []
    notes: Notes = ""
    done: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _changes_something(self) -> "TodoChange":
        if not self.model_fields_set - {"version"}:
            raise ValueError("nothing to change: give at least one field beside version")
        if "due_date" in self.model_fields_set and self.due_date is None and self.due_time is not None:
            raise ValueError(TIME_WITHOUT_DATE)
        return self

    def values(self) -> dict[str, Any]:
        """Return the fields that were sent, without the version; a date that is cleared takes its time with it."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"version"}}
        if "due_date" in sent and sent["due_date"] is None:
            sent["due_time"] = None
        return sent


class TodoFilter(BaseModel):
    """Which todos to list, and in which order."""

    model_config = ConfigDict(extra="forbid")

    state: State = "all"
    q: SearchText = Field(default="", description=WORDS)
    due_from: DueDate | None = Field(default=None, description="Due on this day or later.")
    due_until: DueDate | None = Field(default=None, description="Due on this day or earlier.")
    sort: Sort = "created"
    order: Order = "asc"
    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0, le=1_000_000)


class Todo(BaseModel):
    """A todo."""

    id: uuid.UUID
    title: str
    due_date: date | None
    due_time: DueTime | None
    priority: Priority
    tags: list[str]
    notes: str = ""  # what an undo keeps may be older than notes
    done: bool
    version: int = Field(description="Grows by one with each change; send it back with a PATCH.")
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class TodoPage(BaseModel):
    """A part of the todos that a filter selects, and how many it selects."""

    items: list[Todo]
    total: int


class Problem(BaseModel):
    """An error, in one sentence."""

    detail: str


class Conflict(Problem):
    """A change that was based on an old version, and the todo as it is now."""

    current: Todo


class Info(BaseModel):
    """What is running."""

    version: str
    assistant: AssistantName
    model: str | None


class ParseRequest(_Body):
    """The words of an Add box."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_TITLE_PATTERN)]
    time_zone: TimeZone | None = None
    date_format: DateFormat = Field(default="EEE d MMM", description="How the note writes a day.")


class ParsedTodo(BaseModel):
    """What such words mean."""

    title: str
    due_date: date | None
    due_time: DueTime | None
    priority: Priority
    tags: list[str]
    note: str | None = Field(description="A sentence about what a todo cannot hold, such as a repetition.")


class ChatRequest(_Body):
    """What the user says, and in which conversation; without one a new one begins."""

    message: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_MESSAGE_PATTERN)]
    conversation_id: uuid.UUID | None = None
    time_zone: TimeZone | None = None
    shown: list[uuid.UUID] = Field(
        default=[], max_length=200, description="The todos that the page shows, in its order: what ordinals mean."
    )
    hour_cycle: HourCycle = Field(default="h23", description="Whether answers write 5:00 PM or 17:00.")
    date_format: DateFormat = Field(
        default="EEE d MMM", description="How answers write a day: Sun 6 Dec or Sun, Dec 6."
    )


class ToolCall(BaseModel):
    """A tool that the assistant called."""

    name: str
    outcome: ToolOutcome


class Choice(BaseModel):
    """A way to go on: a button with `label` that sends `message` in the same conversation."""

    label: str
    message: str


class Undone(BaseModel):
    """How many todos an undo put back, and those of them that are there now."""

    restored: int
    items: list[Todo]
    removed: list[str] = Field(description="The titles of todos that the change had added, and which are gone again.")


class ChatAnswer(BaseModel):
    """A whole answer."""

    conversation_id: uuid.UUID
    message_id: uuid.UUID
    text: str
    assistant: AssistantName
    tools: list[ToolCall]
    todos_changed: bool
    undo: uuid.UUID | None = Field(description="What POST /api/undo takes, when something was changed.")
    choices: list[Choice] = Field(max_length=3)


class ChatMessage(BaseModel):
    """A stored message."""

    id: uuid.UUID
    role: Literal["user", "assistant"]
    text: str
    created_at: datetime
    undo: uuid.UUID | None = None
    choices: list[Choice] = []


class Conversation(BaseModel):
    """A conversation, by what was said first."""

    id: uuid.UUID
    title: str
    updated_at: datetime = Field(description="When something was said last.")


class ConversationPage(BaseModel):
    """The conversations in which something was said last, and how many there are."""

    items: list[Conversation]
    total: int


class ChatHistory(BaseModel):
    """The messages of a conversation, oldest first."""

    items: list[ChatMessage]

"""What the process tells Prometheus. No label carries anything that a user typed."""

from collections.abc import Iterable
from itertools import product
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from todo_backend import __version__
from todo_backend.schemas import AssistantName, ToolName, ToolOutcome

DatabaseErrorKind = Literal["connect", "timeout", "conflict", "other"]
ChatOutcome = Literal["ok", "rate_limited", "timeout", "blocked", "bad_key", "bad_answer", "error"]
UNKNOWN_TOOL = "unknown"  # stands for every tool name that a client made up

_REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DATABASE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one app, in a registry of their own, so that two apps can live in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        ProcessCollector(registry=registry)
        self.http_requests = Counter(
            "http_requests_total",
            "HTTP requests answered.",
            ["method", "handler", "status"],
            registry=registry,
        )
        self.http_duration = Histogram(
            "http_request_duration_seconds",
            "Time from request to last byte.",
            ["method", "handler"],
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self.http_in_flight = Gauge("http_requests_in_flight", "HTTP requests being answered now.", registry=registry)
        self.ready = Gauge("todo_ready", "1 while /ready answers 200.", registry=registry)
        build = Gauge("todo_build_info", "Always 1; the label tells the version.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self.db_duration = Histogram(
            "todo_db_operation_duration_seconds",
            "Time of one database operation, retries included.",
            ["operation"],
            buckets=_DATABASE_BUCKETS,
            registry=registry,
        )
        self.db_errors = self._counter(
            "todo_db_errors_total",
            "Database operations that failed, each attempt counted.",
            kind=get_args(DatabaseErrorKind),
        )
        self.db_pool = Gauge("todo_db_pool_connections", "Connections of the pool.", ["state"], registry=registry)
        self.chat_requests = self._counter(
            "todo_chat_requests_total",
            "Chat answers.",
            assistant=get_args(AssistantName),
            outcome=get_args(ChatOutcome),
        )
        self.chat_duration = Histogram(
            "todo_chat_duration_seconds",
            "Time of one chat answer.",
            ["assistant"],
            buckets=_REQUEST_BUCKETS,
            registry=registry,
        )
        self.tool_calls = self._counter(
            "todo_tool_calls_total",
            "MCP tool calls.",
            tool=[*get_args(ToolName), UNKNOWN_TOOL],
            outcome=get_args(ToolOutcome),
        )
        self.model_tokens = self._counter(
            "todo_model_tokens_total", "Tokens of the model.", kind=["prompt", "completion"]
        )
        self._certificate_expiry: Gauge | None = None

    def _counter(self, name: str, help_text: str, **labels: Iterable[str]) -> Counter:
        """Make a counter with every combination of its label values at 0.

        `rate()` cannot see a failure that is a series' first sample.
        """
        counter = Counter(name, help_text, list(labels), registry=self.registry)
        for values in product(*labels.values()):
            counter.labels(*values)
        return counter

    def certificate_expires(self, timestamp: float) -> None:
        """Report when the database's certificate expires, in seconds since the epoch.

        The gauge exists only once this was called: without TLS there is nothing to tell.
        """
        if self._certificate_expiry is None:
            self._certificate_expiry = Gauge(
                "todo_db_certificate_expiry_timestamp_seconds",
                "When the database's TLS certificate expires.",
                registry=self.registry,
            )
        self._certificate_expiry.set(timestamp)

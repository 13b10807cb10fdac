"""HTTP requests to the services of a release, whatever carries them."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Protocol

from scripts.core.errors import TaskError


@dataclass(frozen=True)
class Answer:
    """An HTTP answer of a service."""

    status: int
    body: str


class ServiceClient(Protocol):
    """A way to ask the app's services, each through the engine's own Service."""

    def __call__(self, service: str, method: str, path: str, body: str | None = None, timeout: float = 10, pod: str = "") -> Answer:
        """Send an HTTP request to a service, or to one pod of it, with a JSON body if any. Raises TaskError if it is not answered.

        timeout: in seconds.
        """


def send(connection: http.client.HTTPConnection, service: str, method: str, path: str, body: str | None, before_path: str = "") -> Answer:
    """Send one request over a connection, and close it. Raises TaskError when no answer comes."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, f"{before_path}{path}", body=body.encode() if body is not None else None, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        said = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        raise TaskError(f"{service} does not answer at {path}", "invoke status", [said], code="service-silent") from None
    finally:
        connection.close()

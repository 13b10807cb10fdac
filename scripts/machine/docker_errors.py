"""What the Docker daemon says when it refuses, as errors that a person understands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from docker.errors import APIError, DockerException

from scripts.core.errors import TaskError

ACTIONS = {
    "address pool": "remove networks that nobody uses (docker network prune), or widen default-address-pools in Docker's daemon.json",
    "fully subnetted": "remove networks that nobody uses (docker network prune), or widen default-address-pools in Docker's daemon.json",
    "address already in use": "end what listens there, or choose another local_port in invoke.yaml",
    "port is already allocated": "end the container that publishes it (docker ps), or choose another local_port in invoke.yaml",
    "no space left": "free disk space: `docker system df` shows Docker's share",
    "No such image": "invoke build",
}
"""What to do, by what the daemon's words hold."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Do something with the daemon; turn its refusal into a TaskError that says what could not be done, why, and what to do."""
    try:
        yield
    except DockerException as error:
        reason = str(error.explanation or error) if isinstance(error, APIError) else str(error)
        action = next((action for words, action in ACTIONS.items() if words in reason), "fix the cause and run `invoke up` again")
        raise TaskError(f"{what}: {reason.strip()}", action, code="docker-refused") from None
    except requests.RequestException as error:
        trouble = stopped_working(error)
        raise TaskError(f"{what}: {trouble.cause}", trouble.action, code=trouble.code) from None


def stopped_working(error: requests.RequestException) -> TaskError:
    """Return the error of a daemon that has answered before and does not any more."""
    reason = "it does not answer in time" if isinstance(error, requests.Timeout) else "the connection to it broke"
    return TaskError(
        f"Docker has stopped working ({reason})", "see whether `docker ps` answers; restart Docker if not", code="docker-stopped"
    )

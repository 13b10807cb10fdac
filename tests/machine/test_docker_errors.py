"""What Docker refuses is told with its reason and what to do."""

from __future__ import annotations

import pytest
import requests
from docker.errors import APIError, ContainerError, ImageNotFound

from scripts.core.errors import TaskError
from scripts.machine.docker_errors import told

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("error", "reason", "action"),
    [
        (
            APIError(
                "500",
                explanation="could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
            ),
            "non-overlapping IPv4 address pool",
            "docker network prune",
        ),
        (APIError("500", explanation="all predefined address pools have been fully subnetted"), "fully subnetted", "docker network prune"),
        (
            APIError("500", explanation="driver failed: Bind for 127.0.0.1:80 failed: port is already allocated"),
            "port is already",
            "local_port",
        ),
        (APIError("500", explanation="write /x: no space left on device"), "no space left", "docker system df"),
        (ImageNotFound("404", explanation="No such image: todo:1"), "No such image: todo:1", "invoke build"),
        (APIError("500", explanation="something new"), "something new", "invoke up"),
        (ContainerError("c", 127, "chown", "image", b"not found"), "chown", "invoke up"),
        (requests.ReadTimeout("x"), "it does not answer in time", "docker ps"),
        (requests.ConnectionError("x"), "the connection to it broke", "docker ps"),
    ],
)
def test_a_refusal_has_its_reason_and_an_action(error: Exception, reason: str, action: str) -> None:
    with pytest.raises(TaskError) as caught, told("web cannot be made"):
        raise error
    assert caught.value.cause.startswith("web cannot be made: ")
    assert reason in caught.value.cause
    assert action in caught.value.action


def test_an_error_that_is_told_already_stays_as_it_is() -> None:
    with pytest.raises(TaskError, match=r"^mine$"), told("web cannot be made"):
        raise TaskError("mine")

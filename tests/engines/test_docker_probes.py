"""A probe that is a connection, asked of a port as Docker publishes it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts.engines.docker.pod_spec import Probe
from scripts.engines.docker.probes import _ask

pytestmark = pytest.mark.unit


@contextmanager
def port(*, hangs_up: bool) -> Iterator[int]:
    """A port that accepts one connection, and hangs up at once or waits for the other side."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                if not hangs_up:
                    connection.recv(1)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_connection_counts_when_it_stays(hangs_up: bool) -> None:
    with port(hangs_up=hangs_up) as number:
        well, said = _ask(None, Probe(), number)
    assert well is not hangs_up
    assert said == ("the connection is closed at once" if hangs_up else "connected")


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
    assert _ask(None, Probe(), number) == (False, "Connection refused")

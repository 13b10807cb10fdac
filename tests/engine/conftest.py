"""A real Docker engine, and the project installed in it from a copy of this checkout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.core import images
from scripts.core.errors import MissingError
from tests.checkout import Checkout


@pytest.fixture(scope="session")
def docker_client() -> object:
    try:
        return images.engine()
    except MissingError as error:
        pytest.skip(f"{error.cause} (invoke setup)")


@pytest.fixture(scope="session")
def installed(docker_client: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The app, brought up once for all tests that only look at it; each leaves it as it was."""
    checkout = Checkout.make(tmp_path_factory.mktemp("installed") / "todo")
    run = checkout.invoke("up", "--engine", "docker", timeout=1500)
    assert run.code == 0, run.stdout + run.stderr
    yield checkout
    down = checkout.invoke("down", "--data", "--yes", "--engine", "docker")
    assert down.code == 0, down.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path / "todo")

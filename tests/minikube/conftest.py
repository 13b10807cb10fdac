"""A Minikube profile for the tests of the tier `minikube`; where none can start, they are left out, and the reason is said."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.minikube.profile import Profile, why_not

KILLS, KILLS_LONG = 2, 30


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("minikube", "tests on a real Minikube")
    group.addoption("--kills", type=int, help=f"how often a first start is interrupted ({KILLS}; {KILLS_LONG} with the long tests)")
    group.addoption("--seed", type=int, help="the seed of the moments; it is printed, and otherwise a new one each time")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each interrupted start is a test of its own; beyond the first ones they are `long`, unless a number is asked for."""
    if "kill" not in metafunc.fixturenames:
        return
    asked = metafunc.config.getoption("--kills", default=None)
    many = [() if asked is not None or number < KILLS else pytest.mark.long for number in range(asked if asked is not None else KILLS_LONG)]
    metafunc.parametrize("kill", [pytest.param(number, marks=marks) for number, marks in enumerate(many)])


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The seed of all moments."""
    asked = pytestconfig.getoption("--seed", default=None)
    return random.randrange(10**6) if asked is None else int(asked)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profile]:
    """A checkout with a profile of its own, which is not started yet; nothing of it is left afterwards."""
    if reason := why_not():
        pytest.skip(f"no Minikube can start here: {reason}")
    own = Profile.in_folder(tmp_path_factory.mktemp("minikube"))
    yield own
    down = own.down("--cluster", "--data")
    own.forget_images()
    assert down.code == 0, down.stderr

"""Fixtures of the render tier. Without helm the tier is skipped, and says so."""

from __future__ import annotations

import pytest

from tests.render import chart


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give `objects` every scenario, and `helm` every helm that is installed."""
    if "objects" in metafunc.fixturenames:
        metafunc.parametrize("objects", list(chart.SCENARIOS), indirect=True)
    if "helm" in metafunc.fixturenames:
        versions = chart.helms()
        missing = pytest.param(None, marks=pytest.mark.skip("no helm in .tools/bin, PATH or ~/.cache/cli"))
        metafunc.parametrize("helm", list(versions.values()) or [missing], ids=[f"helm {v}" for v in versions] or ["no helm"])


@pytest.fixture
def objects(request: pytest.FixtureRequest) -> list[chart.Object]:
    """The rendered objects of one scenario."""
    return chart.scenario(request.param)


@pytest.fixture
def minimal() -> list[chart.Object]:
    """The rendered objects with nothing but images and Secrets named."""
    return chart.scenario("minimal")

"""Which old pods a rollout waits for in vain."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.kubernetes import stuck_pods
from tests.kubernetes.rolling import NEW, OLD, pod, replica_set, snapshot

pytestmark = pytest.mark.unit

Object = dict[str, Any]
BROKEN = [pod("old-a", "web-1", ready=False), pod("old-b", "web-1", ready=False)]


@pytest.mark.parametrize(
    ("sets", "pods", "gone"),
    [
        ([OLD, NEW], BROKEN, ["web-1"]),
        ([OLD, NEW], [*BROKEN, pod("new", "web-2", ready=False, since=1)], ["web-1"]),
        ([OLD, NEW], [BROKEN[0], pod("old-b", "web-1", ready=True)], []),
        ([OLD, NEW], [BROKEN[0], pod("old-b", "web-1", ready=False, since=5)], []),
        ([OLD, replica_set(2, 1, 1)], BROKEN, []),
        ([replica_set(1, 0, 0), NEW], [], []),
        ([replica_set(1, 2, 0)], BROKEN, []),
    ],
    ids=[
        "the new cannot come",
        "the new is unready",
        "one serves",
        "one may come back",
        "the new serves",
        "none is left",
        "no new revision",
    ],
)
def test_old_pods_go_where_none_of_them_serves_and_the_new_do_not_either(sets: list[Object], pods: list[Object], gone: list[str]) -> None:
    assert stuck_pods.in_the_way(snapshot(sets, pods)) == gone

"""Which database is younger than what was made in it."""

from __future__ import annotations

import pytest

from scripts.kubernetes import emptied_database
from scripts.kubernetes.objects import name_of
from tests.kubernetes.rolling import pod, replica_set, snapshot

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("prepared", "claim", "replaced"),
    [
        ([100, 90], 50, "b"),  # the one that is not ready
        ([100, 40], 50, ""),  # one has been made since: what it prepared is there for all
        ([40, 30], 50, ""),
        ([None, None], 50, ""),  # nothing was prepared
        ([100, 90], None, ""),  # no database of ours
    ],
)
def test_a_database_younger_than_what_every_pod_made_in_it_is_empty(
    prepared: list[float | None], claim: float | None, replaced: str
) -> None:
    pods = [pod(name, "web-1", ready=name == "a", prepared=when) for name, when in zip("ab", prepared, strict=True)]
    found = emptied_database.find(snapshot([replica_set(1, 2, 1)], pods, claim))
    assert [name_of(each) for each in (found.pods if found else ())] == list(filter(None, [replaced]))
    if found:
        assert found.diagnosis().code == "database-emptied"
        assert "the database is empty: its volume data-postgres-0 was recreated at " in found.diagnosis().cause
        assert found.diagnosis().action.startswith("restore a backup into it, or go on with an empty one")


def test_a_database_that_a_pod_is_about_to_prepare_is_not_called_empty() -> None:
    pods = [pod("a", "web-1", ready=True, prepared=100), pod("b", "web-1", ready=False, made=10)]
    assert emptied_database.find(snapshot([replica_set(1, 2, 1)], pods, 50)) is None

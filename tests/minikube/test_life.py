"""The life of a real Minikube profile, from its first start to its end. The tests build on each other, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.minikube.profile import NOTHING_DONE, Profile

pytestmark = [pytest.mark.minikube, pytest.mark.timeout(1500)]

QUICK_SECONDS = 30
"""Within these a command says that it will not go on; Minikube itself would try for minutes."""


@pytest.fixture(scope="module")
def life(profile: Profile) -> Profile:
    """The app, brought up where there was nothing."""
    assert profile.served()["start"] == "changed"
    profile.sql("create table kept (a int); insert into kept values (7)")
    return profile


def is_kept(life: Profile) -> bool:
    return "7" in life.sql("table kept")


def test_the_second_up_changes_nothing(life: Profile) -> None:
    assert set(life.served().values()) <= NOTHING_DONE


def test_the_users_own_kubeconfig_knows_nothing_of_it(life: Profile) -> None:
    assert life.kubeconfig.is_file()
    users = Path.home() / ".kube" / "config"
    assert not users.exists() or life.NAME not in users.read_text()


def test_an_edit_is_served_and_a_rollback_brings_back_what_was(life: Profile) -> None:
    life.edit("the second page")
    results = life.served()
    assert {results[step] for step in ("build", "load", "chart")} == {"changed"}
    assert life.told("rollback", life.checkout.invoke("rollback")).code == 0
    life.want("the first page")
    smoke = life.checkout.invoke("smoke")
    assert smoke.code == 0, smoke.stdout
    life.edit("the first page")
    life.served()


def test_settings_that_a_profile_cannot_take_are_refused_before_anything_changes(life: Profile) -> None:
    life.checkout.set("minikube.disk_gib", "33")
    run = life.up()
    life.checkout.set("minikube.disk_gib", "20")
    assert run.code == 2
    assert "the cluster has 20, invoke.yaml says 33" in run.stdout
    assert run.seconds < QUICK_SECONDS
    assert set(life.served().values()) <= NOTHING_DONE


def test_a_paused_cluster_is_named_and_woken(life: Profile) -> None:
    life.minikube("pause")
    status = life.checkout.invoke("status")
    assert status.code == 3
    assert "is paused" in status.stdout + status.stderr
    assert status.seconds < QUICK_SECONDS
    assert life.served()["start"] == "changed"


@pytest.mark.parametrize("lost", ["kubeconfig", "addon", "node's process"])
def test_what_is_lost_comes_back(life: Profile, lost: str) -> None:
    if lost == "kubeconfig":
        life.kubeconfig.unlink()
    elif lost == "addon":
        assert life.minikube("addons", "disable", "metrics-server").code == 0
    else:
        assert life.docker("kill").code == 0
    assert life.served()["start"] == "changed"
    assert is_kept(life)


def test_down_stops_it_and_the_next_up_finds_the_data(life: Profile) -> None:
    down = life.down()
    assert down.code == 0, down.stderr
    for command in ("status", "smoke", "logs"):
        run = life.told(command, life.checkout.invoke(command))
        assert run.code != 0
        assert "is stopped" in run.stdout + run.stderr, command
        assert run.seconds < QUICK_SECONDS
    assert life.served()["start"] == "changed"
    assert is_kept(life)


def test_a_node_that_was_removed_is_told_at_once_and_made_again_once_its_rest_is_gone(life: Profile) -> None:
    assert life.docker("rm", "--force", "--volumes").code == 0
    run = life.up()
    assert run.code != 0
    assert "was removed behind Minikube's back" in run.stdout
    assert run.seconds < QUICK_SECONDS
    assert life.down("--cluster").code == 0
    assert life.served()["start"] == "changed"


def test_down_with_its_cluster_leaves_nothing(life: Profile) -> None:
    assert life.down("--cluster").code == 0
    assert not life.container()
    assert life.known() is None
    again = life.down("--cluster")
    assert again.code == 0
    assert "nothing was there" in again.stdout + again.stderr

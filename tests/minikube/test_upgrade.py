"""A profile with an older Kubernetes gets the one that invoke.yaml names, in place; the other way is refused."""

from __future__ import annotations

import re

import pytest

from scripts.config.settings import load_settings
from scripts.engines.minikube.profile import version
from scripts.engines.minikube.program import home
from scripts.machine import tool_downloads
from tests.minikube.profile import NOTHING_DONE, Profile

pytestmark = [pytest.mark.minikube, pytest.mark.timeout(1500)]


@pytest.fixture
def older() -> str:
    """An older Kubernetes that this machine can have: of Minikube's cache the newest, or the minor before."""
    wanted = load_settings().kubernetes_version
    runtime = load_settings().minikube.runtime
    archives = (home() / "cache" / "preloaded-tarball").glob(f"*-{runtime}-*.lz4")
    cached = [found[0] for each in archives if (found := re.search(r"v\d+\.\d+\.\d+", each.name))]
    if there := [each for each in cached if version(each) < version(wanted)]:
        return max(there, key=version)
    if not tool_downloads.kubernetes_answers(refresh=False):
        pytest.skip(f"Minikube's cache has no Kubernetes older than {wanted}, and none can be downloaded")
    major, minor, *_ = version(wanted)
    return f"v{major}.{minor - 1}.0"


def test_an_older_kubernetes_is_upgraded_with_its_data_and_not_taken_back(profile: Profile, older: str) -> None:
    wanted = load_settings().kubernetes_version
    profile.checkout.set("kubernetes_version", older)
    profile.served()
    profile.sql("create table kept (a int); insert into kept values (7)")

    profile.checkout.set("kubernetes_version", wanted)
    assert profile.served()["start"] == "changed"
    known = profile.known()
    assert known is not None
    assert known["KubernetesConfig"]["KubernetesVersion"] == wanted
    assert "7" in profile.sql("table kept")
    assert set(profile.served().values()) <= NOTHING_DONE

    profile.checkout.set("kubernetes_version", older)
    run = profile.up()
    assert run.code == 2
    assert "which is older" in run.stdout

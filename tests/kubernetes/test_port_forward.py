"""What keeps a forward from coming is told with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.core.errors import TaskError
from scripts.kubernetes.cluster import Cluster
from scripts.kubernetes.port_forward import forward
from tests.programs import Reply, on_path

pytestmark = pytest.mark.runner

TAKEN = """\
Unable to listen on port 3000: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4
127.0.0.1:3000: bind: address already in use]
error: unable to listen on any of the requested ports: [{3000 3000}]
"""


@pytest.mark.parametrize(
    ("said", "cause", "action"),
    [
        (TAKEN, "port 3000 of this machine, for service/shop-page, is in use", "another local_port"),
        ('error: services "shop-page" not found\n', "service/shop-page cannot be forwarded", "invoke status"),
    ],
)
def test_a_forward_that_does_not_come_is_told(said: str, cause: str, action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = on_path(tmp_path / "bin", monkeypatch)
    cluster = Cluster("here", "shop", "shop")
    programs.tell(cluster.kubectl_argv("port-forward", "--address=127.0.0.1", "service/shop-page", "3000:3000"), Reply(stderr=said, code=1))
    with pytest.raises(TaskError) as caught, forward(cluster, "service/shop-page", 3000, 3000):
        pass
    assert cause in caught.value.cause
    assert action in caught.value.action

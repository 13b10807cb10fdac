"""Whether the app is installed, as distinct from a cluster that does not answer."""

from __future__ import annotations

from scripts.core import lock
from scripts.core.errors import MissingError
from scripts.engines.protocol import Engine
from scripts.engines.remedies import remedy

STARTS = "invoke up starts a cluster of its own; start any other one yourself"


def is_installed(engine: Engine) -> bool:
    """Return whether the app is installed. Raises MissingError when what it runs on does not answer, so that nobody knows."""
    if engine.deployed():
        return True
    if reason := engine.silent():
        raise MissingError(
            f"the cluster does not answer: {reason}",
            remedy(reason, STARTS) if engine.name == "kube_context" else STARTS,
            code="cluster-silent",
        )
    return False


def what_installs() -> str:
    """Return what a person does about an app that is not installed: they wait where a run is just at work."""
    run = lock.other_run()
    return f"wait: {run}" if run else "invoke up"

"""How the last smoke test ended: while it failed and none has passed since, the app is not healthy, whatever is seen of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from scripts.config.settings import Settings
from scripts.core.errors import TaskError
from scripts.core.paths import STATE
from scripts.core.redaction import redact
from scripts.engines.protocol import Engine
from scripts.kubernetes.diagnosis.cause import Diagnosis, one_line

PATH = STATE / "last-proof.json"
CODE = "proof-failed"


def failed(settings: Settings, engine: Engine, error: TaskError) -> None:
    """Remember that the app did not prove its one real use here, and how."""
    told = {"app": _app(settings, engine), "at": datetime.now(UTC).isoformat(timespec="seconds"), "cause": redact(one_line(error.cause))}
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(json.dumps(told), encoding="utf-8")


def forget() -> None:
    """Forget a failure: a later test has passed, or the app is gone."""
    PATH.unlink(missing_ok=True)


def told(settings: Settings, engine: Engine) -> list[Diagnosis]:
    """Return the failure as a cause; nothing where the last test passed, was of another app, or is not remembered."""
    try:
        last = json.loads(PATH.read_text(encoding="utf-8"))
        app, at, cause = (str(last[key]) for key in ("app", "at", "cause"))
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if app != _app(settings, engine):
        return []
    release = settings.release
    line = f"{release}: its smoke test failed at {at[11:19]} UTC, and none has passed since: {cause}"
    return [
        Diagnosis(CODE, release, line, (f"nothing else is seen to be wrong since {at}",), "invoke smoke proves it again, and tells more")
    ]


def _app(settings: Settings, engine: Engine) -> str:
    """Which app it is that was tested: this checkout may bring several to several places."""
    deployment = engine.deployment
    place = deployment.cluster.context if deployment else "docker"
    return f"{place}/{settings.namespace}/{settings.release}"

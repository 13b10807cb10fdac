"""The app's own proof of one real use: a Python file of the app, whose `prove(ask)` returns a line or fails with an AssertionError."""

from __future__ import annotations

import importlib.util
import traceback
from pathlib import Path
from types import ModuleType

from scripts.core.errors import InputError, TaskError
from scripts.kubernetes.diagnosis.rules.logs import database_advice
from scripts.kubernetes.service_client import ServiceClient


def prove(file: Path, ask: ServiceClient) -> str:
    """Run the file's `prove` and return what it says.

    ask: sends a request to a service of the app.
    Raises TaskError with the file's own words when it fails, InputError when it cannot be run.
    """
    module = _load(file)
    if not callable(getattr(module, "prove", None)):
        raise InputError(f"{file.name} has no function `prove(ask)`", "see app/smoke.py for an example", code="smoke-test-invalid")
    try:
        return str(module.prove(ask))
    except AssertionError as error:
        cause = str(error) or f"{file.name} failed"
        action = database_advice(cause) or f"invoke logs SERVICE; the test is {file.name}"
        raise TaskError(cause, action, _place(error, file), code="smoke-failed") from None
    except TaskError:
        raise
    except Exception as error:  # noqa: BLE001 - it is the app's code, which may raise anything
        raise TaskError(
            f"{file.name} failed: {type(error).__name__}: {error}", f"fix {file.name}", _place(error, file), code="smoke-failed"
        ) from None


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"app_proof_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file.name} is not a Python file", "fix `smoke` in invoke.yaml", code="smoke-test-invalid")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - as above
        cause = f"{file.name} cannot be loaded: {type(error).__name__}: {error}"
        raise InputError(cause, f"fix {file.name}", _place(error, file), code="smoke-test-invalid") from None
    return module


def _place(error: BaseException, file: Path) -> list[str]:
    """Where in the file it happened."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return [f"{file.name}:{frame.lineno}: {frame.line}" for frame in frames[-1:]]

"""The server: settings, logs, uvicorn, signals."""

import gc
import os
import sys
from types import FrameType

import uvicorn

from todo_backend.app import create_app
from todo_backend.database import DatabaseUrlError
from todo_backend.logs import configure_logs
from todo_backend.readiness import Readiness
from todo_backend.settings import Settings, SettingsError

GRACEFUL_SHUTDOWN_SECONDS = 20
# Above the idle timeout of the proxies in front, so that they, not we, close idle connections.
KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """Uvicorn, which tells readiness of a shutdown at the signal and not after the last answer."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.stop()
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve until a signal comes; return the exit code: 2 when the environment cannot be used."""
    try:
        settings = Settings.from_environment(os.environ)
        configure_logs(settings.log_level)
        app = create_app(settings)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except DatabaseUrlError as error:
        print(f"error: DATABASE_URL {error}", file=sys.stderr)
        return 2
    # The app itself lives as long as the process: from here on only what requests leave behind is looked through.
    gc.freeze()
    gc.enable()
    config = uvicorn.Config(
        app,
        host="0.0.0.0",  # noqa: S104 - a container is reached from outside or not at all
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    _Server(config, app.state.readiness).run()
    return 0

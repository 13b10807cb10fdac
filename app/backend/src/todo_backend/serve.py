"""The server: settings, logs, uvicorn, signals."""

import gc
import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import uvicorn

from todo_backend.app import create_app
from todo_backend.database_url import DatabaseUrlError
from todo_backend.logs import configure_logs
from todo_backend.readiness import Readiness
from todo_backend.settings import Settings, SettingsError

# After SIGTERM: longer than clients keep an idle connection; the frontend does for 4 s.
LINGER_SECONDS = 5
# Together with the above, what the chart gives as drainSeconds.
GRACEFUL_SHUTDOWN_SECONDS = 15
# Above the idle timeout of the proxies in front, so that they, not we, close idle connections.
KEEP_ALIVE_SECONDS = 75


class _Server(uvicorn.Server):
    """Uvicorn, which leaves in two steps at SIGTERM: a request may be on its way on a connection that looks idle.

    First every answer asks the client to close its connection (the middleware does, once readiness knows), and nothing
    is refused until no connection is left or LINGER_SECONDS have passed. Then uvicorn's own shutdown follows.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._lingers_until: float | None = None
        self.interrupted = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._readiness.stop()
        self.interrupted |= sig == signal.SIGINT
        if sig == signal.SIGTERM and self._lingers_until is None:
            self._lingers_until = time.monotonic() + LINGER_SECONDS
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if not self.should_exit and self._has_lingered():
            super().handle_exit(signal.SIGTERM, None)
        return await super().on_tick(counter)

    def _has_lingered(self) -> bool:
        if self._lingers_until is None:
            return False
        return not self.server_state.connections or time.monotonic() >= self._lingers_until


def main() -> int:
    """Serve until a signal comes; return the exit code: 2 when the environment cannot be used, 130 after Ctrl-C."""
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
    server = _Server(config, app.state.readiness)
    # Uvicorn shuts down in order and raises the signal again: in vain where it is ignored, as shells do for `&`.
    with suppress(KeyboardInterrupt):
        server.run()
    return 130 if server.interrupted else 0

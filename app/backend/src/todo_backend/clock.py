"""What time it is where the user is."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def _utc() -> datetime:
    return datetime.now(UTC)


class Clock:
    """The time, told for a time zone; a test gives it an instant of its own."""

    def __init__(self, instant: Callable[[], datetime] = _utc) -> None:
        self._instant = instant

    def now(self, time_zone: str | None) -> datetime:
        """Return the time in a zone; without one, in the server's (`TZ`)."""
        return self._instant().astimezone(ZoneInfo(time_zone) if time_zone else None)

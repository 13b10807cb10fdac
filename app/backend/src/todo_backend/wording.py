"""How an answer writes a day and a time: as seen from the day where the user is, and as their clock shows it."""

from dataclasses import dataclass
from datetime import date, time

from todo_backend.schemas import DateFormat, HourCycle

_NEAR_DAYS = 180
_FORMATS: dict[DateFormat, tuple[str, str]] = {
    "EEE d MMM": ("{day:%a} {day.day} {day:%b}", "{day.day} {day:%b %Y}"),
    "EEE, d MMM": ("{day:%a}, {day.day} {day:%b}", "{day.day} {day:%b %Y}"),
    "EEE, MMM d": ("{day:%a, %b} {day.day}", "{day:%b} {day.day}, {day:%Y}"),
}
"""A day that is near, and one that is not."""
_NAMES = {-1: "yesterday", 0: "today", 1: "tomorrow"}


@dataclass(frozen=True)
class Wording:
    """The day where the user is, whether their clock counts to twelve, and how they write a day."""

    today: date
    hour_cycle: HourCycle = "h23"
    date_format: DateFormat = "EEE d MMM"

    def day(self, day: date) -> str:
        """Write a date as a person would say it; with the weekday when it is near, with the year when it is not."""
        distance = (day - self.today).days
        if name := _NAMES.get(distance):
            return name
        near, far = _FORMATS[self.date_format]
        return (near if abs(distance) < _NEAR_DAYS else far).format(day=day)

    def clock(self, clock: time) -> str:
        """Write a time of day: "17:00" or "5:00 PM"."""
        if self.hour_cycle == "h23":
            return f"{clock:%H:%M}"
        return f"{clock.hour % 12 or 12}:{clock:%M} {'AM' if clock.hour < 12 else 'PM'}"

    def moment(self, day: date, clock: time | None) -> str:
        """Write a day, and a time of it where there is one."""
        return f"{self.day(day)} at {self.clock(clock)}" if clock else self.day(day)

"""Cron schedules, as CronJobs have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = re.compile(r"@every ((?:\d+(?:\.\d+)?(?:h|m|s))+)")
_YEARS = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a CronJob is due."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    either_day: bool = False
    every: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Five fields, or ``@hourly`` and the like, or ``@every 1h30m``.

        Raises:
            ValueError: it is none of these.
        """
        if found := _EVERY.fullmatch(text):
            units = {"h": 3600.0, "m": 60.0, "s": 1.0}
            parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", found[1])
            seconds = sum(float(number) * units[unit] for number, unit in parts)
            return cls(every=timedelta(seconds=max(int(seconds), 1)))
        fields = _MACROS.get(text, text).split()
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{text}]")
        minute, hour, day, month, weekday = fields
        return cls(
            minutes=_values(minute, 0, 59),
            hours=_values(hour, 0, 23),
            days=_values(day, 1, 31),
            months=_values(month, 1, 12, _MONTHS),
            weekdays=_values(weekday, 0, 6, _DAYS),
            either_day=not _is_star(day) and not _is_star(weekday),
        )

    def next(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first time after ``after``, by the clocks of ``zone``; None if there is none in five years.

        An hour that clocks leave out has no times; one that they have twice has its times twice.
        """
        if self.every is not None:
            return after.replace(microsecond=0) + self.every
        moment = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = moment.replace(year=moment.year + _YEARS, day=min(moment.day, 28))
        while moment < end:
            local = moment.astimezone(zone)
            if local.month not in self.months or not self._takes_day(local):
                midnight = local.replace(hour=0, minute=0, fold=0) + timedelta(days=1)
                moment = max(midnight.astimezone(UTC), moment + timedelta(minutes=1))
            elif local.hour not in self.hours:
                moment += timedelta(minutes=60 - local.minute)
            elif local.minute not in self.minutes:
                moment += timedelta(minutes=1)
            else:
                return moment
        return None

    def _takes_day(self, local: datetime) -> bool:
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return day or weekday if self.either_day else day and weekday


def _is_star(field: str) -> bool:
    return any(part in ("*", "?") for part in field.split(","))


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        spread, slash, step = part.partition("/")
        first, dash, last = spread.partition("-")
        if first in ("*", "?") and not dash:
            start, end = low, high
        else:
            start = _number(first, low, names)
            end = _number(last, low, names) if dash else high if slash else start
        by = int(step) if slash else 1
        if not low <= start <= end <= high or by < 1:
            raise ValueError(f"{part} is not between {low} and {high}")
        found.update(range(start, end + 1, by))
    return frozenset(found)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + low
    return int(text)

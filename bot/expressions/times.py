"""Dates, durations and time zones as Go has them (https://pkg.go.dev/time): nanoseconds, and years Python lacks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.expressions.errors import Fault, shortened
from bot.expressions.numbers import wrap

SECOND = 1_000_000_000
DAY_SECONDS = 86_400
MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split()  # noqa: SIM905
# What datetime can say the offset of: outside it, the offset at the nearer end is taken.
_FIRST, _LAST = -62_135_596_800 + DAY_SECONDS, 253_402_300_799 - DAY_SECONDS


@dataclass(frozen=True, slots=True)
class Month:
    """A month, 1 to 12. Not a number to the language, though `int()` makes it one."""

    number: int

    def __str__(self) -> str:
        return MONTHS[self.number - 1] if 1 <= self.number <= 12 else f"%!Month({self.number})"


@dataclass(frozen=True, slots=True)
class Weekday:
    """A day of the week, 0 being Sunday."""

    number: int

    def __str__(self) -> str:
        return WEEKDAYS[self.number] if 0 <= self.number <= 6 else f"%!Weekday({self.number})"


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: by name, or at a fixed offset from UTC (then `rules` is that offset)."""

    name: str
    rules: tzinfo

    def offset(self, unix: int) -> tuple[int, str]:
        """Seconds east of UTC at a time, and what the zone is called then."""
        if self.rules is UTC:
            return 0, self.name
        moment = datetime.fromtimestamp(min(max(unix, _FIRST), _LAST), self.rules)
        offset = moment.utcoffset()
        seconds = offset.days * DAY_SECONDS + offset.seconds if offset is not None else 0
        if isinstance(self.rules, timezone):
            return seconds, self.name
        return seconds, moment.tzname() or ""

    def to_utc(self, local: int) -> int:
        """The time at which clocks in the zone show `local` (counted as if that were UTC)."""
        first, _ = self.offset(local)
        second, _ = self.offset(local - first)
        return local - (first if first == second else second)

    def __str__(self) -> str:
        return self.name


UTC_ZONE = Zone("UTC", UTC)


def fixed_zone(name: str, seconds: int) -> Zone:
    """A zone at an offset east of UTC."""
    if abs(seconds) >= DAY_SECONDS:
        raise Fault(f"{seconds} seconds is no offset of a time zone")
    return Zone(name, timezone(timedelta(seconds=seconds)))


@lru_cache(maxsize=1024)  # more than there are
def load_zone(name: str) -> Zone:
    """The zone of that name in the IANA database. Raises `Fault`."""
    if name in {"", "UTC", "Local"}:  # where this runs, local time is UTC
        return UTC_ZONE if name != "Local" else Zone("Local", UTC)
    try:
        return Zone(name, ZoneInfo(name))
    except (OSError, ValueError, KeyError) as error:
        raise Fault(f"unknown time zone {shortened(name)}") from error


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds, of 64 bits."""

    nanoseconds: int

    @classmethod
    def of(cls, delta: timedelta) -> "Duration":
        return cls(wrap(((delta.days * DAY_SECONDS + delta.seconds) * 1_000_000 + delta.microseconds) * 1000))

    def to_timedelta(self) -> timedelta:
        """As Python has it, cut to microseconds."""
        return timedelta(microseconds=self.nanoseconds // 1000)

    def __str__(self) -> str:
        nanoseconds = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if nanoseconds == 0:
            return "0s"
        if nanoseconds < SECOND:
            for unit, size in (("ms", 1_000_000), ("µs", 1000), ("ns", 1)):
                if nanoseconds >= size:
                    return f"{sign}{_decimal(nanoseconds, size)}{unit}"
        minutes, rest = divmod(nanoseconds, 60 * SECOND)
        hours, minutes = divmod(minutes, 60)
        seconds = f"{_decimal(rest, SECOND)}s"
        if hours:
            return f"{sign}{hours}h{minutes}m{seconds}"
        return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    fraction = str(rest).zfill(len(str(unit)) - 1).rstrip("0") if rest else ""
    return f"{whole}.{fraction}" if fraction else str(whole)


@dataclass(frozen=True, slots=True)
class Time:
    """A moment, and the zone in which it is told. Moments are equal (`same`) whatever their zones."""

    seconds: int  # since 1970 in UTC
    nanoseconds: int = 0
    zone: Zone = UTC_ZONE

    @classmethod
    def of(cls, moment: datetime) -> "Time":
        """A Python datetime; one without a zone is taken as UTC."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = aware - datetime(1970, 1, 1, tzinfo=UTC)
        offset = aware.utcoffset() or timedelta()
        zone = UTC_ZONE if not offset else Zone("", timezone(offset))
        return cls(since.days * DAY_SECONDS + since.seconds, since.microseconds * 1000, zone)

    @classmethod
    def at(cls, date: tuple[int, int, int], clock: tuple[int, int, int], nanoseconds: int, zone: Zone) -> "Time":
        """The moment of a date and time in a zone. Numbers out of range carry over, as in Go's time.Date."""
        year, month, day = date
        days = days_of(year + (month - 1) // 12, (month - 1) % 12 + 1) + day - 1
        seconds = days * DAY_SECONDS + clock[0] * 3600 + clock[1] * 60 + clock[2] + nanoseconds // SECOND
        return cls(zone.to_utc(seconds), nanoseconds % SECOND, zone)

    def local(self) -> int:
        """Seconds since 1970 as the zone's clocks count them."""
        return self.seconds + self.zone.offset(self.seconds)[0]

    def date(self) -> tuple[int, int, int]:
        """Year, month and day."""
        return date_of(self.local() // DAY_SECONDS)

    def clock(self) -> tuple[int, int, int]:
        """Hour, minute and second."""
        seconds = self.local() % DAY_SECONDS
        return seconds // 3600, seconds // 60 % 60, seconds % 60

    def weekday(self) -> Weekday:
        return Weekday((self.local() // DAY_SECONDS + 4) % 7)

    def year_day(self) -> int:
        """The day of the year, 1 to 366."""
        return self.local() // DAY_SECONDS - days_of(self.date()[0], 1) + 1

    def total(self) -> int:
        """Nanoseconds since 1970."""
        return self.seconds * SECOND + self.nanoseconds

    def plus(self, duration: int) -> "Time":
        """The moment that many nanoseconds later."""
        seconds, nanoseconds = divmod(self.total() + duration, SECOND)
        return Time(seconds, nanoseconds, self.zone)

    def minus(self, other: "Time") -> Duration:
        """How long after the other one; what does not fit in 64 bits is cut to what does."""
        return Duration(max(min(self.total() - other.total(), 2**63 - 1), -(2**63)))

    def same(self, other: "Time") -> bool:
        return self.total() == other.total()


def days_of(year: int, month: int) -> int:
    """Days from 1970-01-01 to the first of a month, in the Gregorian calendar without beginning or end."""
    # Counted from 1 March, so that the leap day comes last (the method: http://howardhinnant.github.io/date_algorithms.html).
    year -= month <= 2
    of_year = (153 * ((month + 9) % 12) + 2) // 5
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468


def date_of(days: int) -> tuple[int, int, int]:
    """The date so many days after 1970-01-01."""
    days += 719_468
    era, of_era = divmod(days, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    month = (from_march + 2) % 12 + 1
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * from_march + 2) // 5 + 1

"""HL7 time stamps: from local wall-clock text to an instant, with what had to be assumed.

Source: HL7 v2.5.1 chapter 2A, data type TS. A time without an offset is the sender's local time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_STAMP = re.compile(r"([0-9]{8})([0-9]{2}(?:[0-9]{2}){0,2})(?:(?<=[0-9]{14})\.[0-9]{1,9})?([+-][0-9]{4})?")
_LONGEST_STAMP = 40
_EARLIEST_YEAR, _LATEST_YEAR = 1900, 2200
_LONGEST = timedelta(hours=24)
# Above this many of nothing, a sender means seconds: no visit takes eight hours.
_MOST_MINUTES = 480

_UNITS = {
    **dict.fromkeys(("S", "SEC", "SECS", "SECOND", "SECONDS"), timedelta(seconds=1)),
    **dict.fromkeys(("M", "MIN", "MINS", "MN", "MINUTE", "MINUTES"), timedelta(minutes=1)),
    **dict.fromkeys(("H", "HR", "HRS", "HOUR", "HOURS"), timedelta(hours=1)),
}


class Shift(StrEnum):
    """Why a wall-clock time needed a decision."""

    NONE = ""
    GAP = "gap"  # the clock was put forward: that time did not exist, and is moved forward
    FOLD = "fold"  # the clock was put back: that time existed twice, and the first is taken


class Moment(NamedTuple):
    """An instant in UTC, the text it came from, and what had to be decided."""

    at: datetime
    text: str
    shift: Shift = Shift.NONE


@dataclass(frozen=True, kw_only=True)
class Length:
    """A duration and whether its unit had to be guessed."""

    value: timedelta
    is_guessed: bool = False


def read_moment(text: str, *, zone: ZoneInfo, near: datetime | None = None) -> Moment | None:
    """Return the instant that ``text`` means, or None if it is no time of day.

    :param zone: where the sender's clock hangs; used when the text has no offset.
    :param near: of the two instants a repeated hour has, take the one nearest to this instead of the first.
    """
    text = text.strip()
    moment = _moment(text, zone)
    if near is None or moment is None or moment.shift is not Shift.FOLD:
        return moment
    return _near_moment(text, zone=zone, near=near)


# The same few times stand in many places of a message, and in several messages.
@lru_cache(maxsize=4096)
def _moment(text: str, zone: ZoneInfo) -> Moment | None:
    return _near_moment(text, zone=zone, near=None) if len(text) <= _LONGEST_STAMP else None


def _near_moment(text: str, *, zone: ZoneInfo, near: datetime | None) -> Moment | None:
    match = _STAMP.fullmatch(text)
    if match is None:
        return None
    day, clock, offset = match.groups(default="")
    try:
        # Seconds may be missing, minutes too; fractions of a second are nobody's appointment.
        stated = datetime.fromisoformat(f"{day}T{clock}{offset}")
        if not _EARLIEST_YEAR <= stated.year <= _LATEST_YEAR:
            return None
        if offset:
            return Moment(stated.astimezone(UTC), text)
    except ValueError:
        return None
    return _on_the_wall(stated, text=text, zone=zone, near=near)


def _on_the_wall(wall: datetime, *, text: str, zone: ZoneInfo, near: datetime | None) -> Moment:
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    at = first.astimezone(UTC)
    if first.utcoffset() == second.utcoffset():
        return Moment(at=at, text=text)
    if at.astimezone(zone).replace(tzinfo=None) != wall:
        # Read with the offset before the change, a time in the gap lands as far behind it as it lay in it.
        return Moment(at=at, text=text, shift=Shift.GAP)
    later = second.astimezone(UTC)
    if near is not None and abs(near - later) < abs(near - at):
        at = later
    return Moment(at=at, text=text, shift=Shift.FOLD)


def read_length(number: str, unit: str, *, unit_text: str = "") -> Length | None:
    """Return the duration of ``number`` in ``unit`` (SCH-9/10, AIS-7/8), or None if it is no sensible one."""
    amount = _amount(number)
    if amount is None:
        return None
    step = _UNITS.get(unit.strip().upper()) or _UNITS.get(unit_text.strip().upper())
    is_guessed = step is None
    if step is None:
        step = timedelta(minutes=1) if amount <= _MOST_MINUTES else timedelta(seconds=1)
    return _sensible(step.total_seconds() * float(amount), is_guessed=is_guessed)


def read_quantity_length(text: str) -> Length | None:
    """Return the duration that TQ-3 writes as a unit and a number: ``M30``, ``H1``, ``S1800``."""
    return read_length(text.strip()[1:], text.strip()[:1]) if text.strip()[:1].upper() in {"S", "M", "H"} else None


def _amount(number: str) -> Decimal | None:
    if len(number) > 12:  # noqa: PLR2004 - longer numbers are no durations, and slow to calculate with
        return None
    try:
        amount = Decimal(number.strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount > 0 else None


def _sensible(seconds: float, *, is_guessed: bool) -> Length | None:
    if not 0 < seconds <= _LONGEST.total_seconds():
        return None
    return Length(value=timedelta(seconds=round(seconds)), is_guessed=is_guessed)

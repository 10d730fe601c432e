"""When a text may ring: outside the quiet hours of where the patient probably is.

The rules (docs/operations.md, "When texts are sent"):

* Quiet hours hold in the visit's zone and in the zone of the phone's area code, whichever is quiet.
* What falls into them waits for their end, if the visit begins at least ``SPARE`` later.
* A reminder that cannot wait goes out before the quiet hours begin, unless that is past already.
* Anything else that cannot wait is sent at once: without it the patient would not know of the visit.
* Reminders up to ``SHORT_LEAD`` before the visit keep only the hours of deep night (``NIGHT``): whoever
  has a visit at 8:30 is awake at 7:30.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sms.area_codes import time_zones

SHORT_LEAD = timedelta(hours=3)
SPARE = timedelta(minutes=30)
EVENING = timedelta(minutes=15)  # so long before quiet hours, that a busy evening does not run into them
NIGHT = (time(22), time(6, 30))
_ROUNDS = 6  # zones that never agree would go round for ever


@dataclass(frozen=True)
class QuietHours:
    """From ``begin`` to ``end``, local time in each of ``zones``; the same twice means none."""

    begin: time
    end: time
    zones: tuple[str, ...]

    def is_quiet(self, moment: datetime) -> bool:
        """Return whether no text may ring at ``moment``."""
        return any(self._is_quiet_in(zone, moment) for zone in self.zones)

    def end_after(self, moment: datetime) -> datetime:
        """Return the first moment from ``moment`` on at which a text may ring, in UTC."""
        return self._move(moment, self._end_in)

    def begin_before(self, moment: datetime) -> datetime:
        """Return a moment shortly before the quiet hours around ``moment`` begin, in UTC."""
        return self._move(moment, self._begin_in)

    def _move(self, moment: datetime, step: Any) -> datetime:
        for _ in range(_ROUNDS):
            quiet = [zone for zone in self.zones if self._is_quiet_in(zone, moment)]
            if not quiet:
                break
            moment = step(quiet[0], moment)
        return moment.astimezone(UTC)

    def _is_quiet_in(self, zone: str, moment: datetime) -> bool:
        clock = moment.astimezone(ZoneInfo(zone)).time()
        if self.begin <= self.end:
            return self.begin <= clock < self.end
        return clock >= self.begin or clock < self.end

    def _end_in(self, zone: str, moment: datetime) -> datetime:
        local = moment.astimezone(ZoneInfo(zone))
        day = local.date() + timedelta(days=local.time() >= self.end)
        # A time that a clock change skips is read with the offset before it, so 02:30 means 03:30.
        return datetime.combine(day, self.end, tzinfo=ZoneInfo(zone)).astimezone(UTC)

    def _begin_in(self, zone: str, moment: datetime) -> datetime:
        local = moment.astimezone(ZoneInfo(zone))
        day = local.date() - timedelta(days=local.time() < self.begin)
        return datetime.combine(day, self.begin, tzinfo=ZoneInfo(zone)).astimezone(UTC) - EVENING


def quiet_hours(
    choices: Mapping[str, Any], *, visit_zone: str, phone: str, lead: timedelta | None
) -> QuietHours | None:
    """Return the quiet hours for one text; None when the hospital has none.

    :param choices: the approved choices; ``quiet_from`` and ``quiet_until`` are ``HH:MM`` or empty.
    :param lead: how long before the visit a reminder is due; None for confirmations.
    """
    begin, end = str(choices.get("quiet_from") or ""), str(choices.get("quiet_until") or "")
    if not begin or not end or begin == end:
        return None
    zones = tuple(dict.fromkeys((visit_zone, *time_zones(phone))))
    if lead is not None and lead <= SHORT_LEAD:
        return QuietHours(*NIGHT, zones)
    return QuietHours(time.fromisoformat(begin), time.fromisoformat(end), zones)


def ring_at(due_at: datetime, *, starts_at: datetime, quiet: QuietHours | None, now: datetime) -> datetime | None:
    """Return when a reminder due at ``due_at`` is sent; None when no allowed moment is left."""
    if quiet is None or not quiet.is_quiet(due_at):
        return due_at
    morning = quiet.end_after(due_at)
    if morning + SPARE <= starts_at:
        return morning
    evening = quiet.begin_before(due_at)
    return evening if evening > now else None


def confirm_at(due_at: datetime, *, starts_at: datetime, quiet: QuietHours | None) -> datetime:
    """Return when a confirmation is sent: after the quiet hours, or at once when the visit is too near."""
    if quiet is None or not quiet.is_quiet(due_at):
        return due_at
    morning = quiet.end_after(due_at)
    return morning if morning + SPARE <= starts_at else due_at

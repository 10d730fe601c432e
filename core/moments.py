"""Times and durations as people read them: in their own zone, with the zone's name."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format

# Django's format letters; the zone's short name is the last word of every style that has a time.
_STYLES = {"full": "M j, Y, g:i A T", "day": "M j, g:i A T", "date": "M j, Y", "time": "g:i A T", "seconds": "H:i:s T"}


def written(moment: datetime, *, style: str = "full", zone_name: str = "") -> str:
    """Write an aware ``moment`` in the named zone, or in the one now active.

    :param style: ``full`` (with the year), ``day``, ``date``, ``time`` or ``seconds``.
    :raises KeyError: the style is unknown.
    """
    zone = ZoneInfo(zone_name) if zone_name else timezone.get_current_timezone()
    return date_format(moment.astimezone(zone), _STYLES[style])


def in_utc(moment: datetime) -> str:
    """Write an aware ``moment`` as ``2026-11-24 19:41:00 UTC``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def elapsed(seconds: int, *, style: str = "words", one: str = "{} min", many: str = "{} min") -> str:
    """Write a duration: whole minutes in words, or ``4:12`` with style ``clock``.

    :param one: wording of exactly one minute, ``{}`` stands for the number; ``many`` of all others.
    """
    minutes, rest = divmod(seconds, 60)
    if style == "clock":
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return (one if minutes == 1 else many).format(minutes)


def ago(moment: datetime, *, now: datetime) -> str:
    """Write how long ago ``moment`` was in its largest unit: ``5 minutes``, ``2 days``."""
    minutes = max(0, int((now - moment).total_seconds())) // 60
    for size, unit in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return "less than a minute"

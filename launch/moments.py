"""Times as patients read them: the day in words, the time of day, and the zone by its everyday name."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from launch.words.base import Text

# What people call the zones of the United States; others are called after their city.
_ZONES: dict[str, Text] = {
    "America/New_York": _("Eastern Time"),
    "America/Chicago": _("Central Time"),
    "America/Denver": _("Mountain Time"),
    "America/Phoenix": _("Arizona Time"),
    "America/Los_Angeles": _("Pacific Time"),
    "America/Anchorage": _("Alaska Time"),
    "Pacific/Honolulu": _("Hawaii Time"),
}
_ONE_O_CLOCK = 1


def spoken(moment: datetime, *, time_zone: str, now: datetime) -> str:
    """Write an aware ``moment`` in the visit's zone: ``today at 2:00 PM Central Time``.

    :param time_zone: IANA name.
    :param now: decides what is today.
    """
    zone = ZoneInfo(time_zone)
    local = moment.astimezone(zone)
    parts = {"time": _time(local), "zone": zone_name(time_zone)}
    is_one = local.hour % 12 == _ONE_O_CLOCK  # Spanish says "a la una", but "a las dos"
    if local.date() == now.astimezone(zone).date():
        today = (
            pgettext("one o'clock", "today at %(time)s %(zone)s") if is_one else str(_("today at %(time)s %(zone)s"))
        )
        return today % parts
    day = formats.date_format(local, pgettext("date format", "l, F j"))
    other = (
        pgettext("one o'clock", "on %(day)s at %(time)s %(zone)s")
        if is_one
        else str(_("on %(day)s at %(time)s %(zone)s"))
    )
    return other % {**parts, "day": day}


def zone_name(time_zone: str) -> str:
    """Return what people call a zone, such as ``Central Time``."""
    if time_zone in _ZONES:
        return str(_ZONES[time_zone])
    return str(_("%(city)s time")) % {"city": time_zone.rpartition("/")[2].replace("_", " ")}


def _time(local: datetime) -> str:
    return formats.date_format(local, pgettext("time format", "g:i A"))

"""Words and figures that several pages share."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.moments import written
from hl7intake.models import InboundMessage

DASH = "\N{EN DASH}"


def of(part: int, whole: int) -> str:
    """Return a part of a whole: ``2 / 3``, or a dash when there is nothing to count."""
    return f"{part} / {whole}" if whole else DASH


def clock(moment: datetime, zone: str) -> str:
    """Return a local time of day with its zone: ``2:00 PM CST``."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.hour % 12 or 12}:{local:%M %p %Z}"


def span(duration: timedelta) -> str:
    """Return minutes and seconds: ``4:12``."""
    seconds = max(int(duration.total_seconds()), 0)
    return f"{seconds // 60}:{seconds % 60:02}"


def minutes(duration: timedelta) -> str:
    """Return whole minutes with their unit: ``4 min``."""
    return f"{max(int(duration.total_seconds() // 60), 0)} min"


def message_words(message: InboundMessage | None) -> str:
    """Say what became of an HL7 message that belongs to no visit."""
    if message is None:
        return ""
    received = written(message.received_at, style="day", zone_name=message.endpoint.time_zone)
    code = f", {message.error_code}" if message.error_code else ""
    return f"{message.trigger or 'Message'} received {received}: {message.get_state_display().lower()}{code}."

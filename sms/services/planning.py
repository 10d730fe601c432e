"""From news about a visit to the texts that are due because of it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from config_portal.models import FhirEndpoint
from config_portal.services.connections import ApprovedConfiguration, approved_configuration
from core.errors import ConfigurationError
from sms.models import SmsConfiguration, SmsMessage
from sms.services import limits, quiet, templates
from visits.models import PatientContact, Visit

Kind = SmsMessage.Kind

CONFIRMATION_USEFUL = timedelta(hours=24)
# A reminder this late helps nobody any more: it would arrive when the visit begins.
LAST_MOMENT = timedelta(minutes=5)
# How late a reminder may be: half of how early it was meant to be, within these bounds.
LEAST_LATE, MOST_LATE = timedelta(minutes=15), timedelta(hours=12)
# Whoever books now is told everything now: a reminder days ahead that is due this soon would only repeat it.
JUST_TOLD = timedelta(hours=12)
_DAY = 24 * 60


def plan_confirmation(visit: Visit, kind: str, *, now: datetime) -> list[SmsMessage]:
    """Store the confirmation of ``kind`` and the reminders for every patient with a number.

    A new time is told a little later (``SMS_SETTLE_SECONDS``), so that a scheduler's corrections become one text.
    """
    choices = _choices(visit)
    if not choices or visit.starts_at is None or visit.starts_at <= now:
        return []
    due_at = now + _settling() if kind == Kind.MOVED else now
    planned: list[SmsMessage] = []
    for contact in _reachable(visit):
        is_confirmed = bool(choices[f"confirms_{kind}"])
        if is_confirmed:
            planned.append(_confirmation(contact, kind, choices=choices, starts_at=visit.starts_at, due_at=due_at))
        told_at = now if is_confirmed else None
        for minutes in choices["reminder_minutes"]:
            reminder = _reminder(contact, minutes, choices=choices, starts_at=visit.starts_at, told_at=told_at, now=now)
            planned += [reminder] if reminder else []
    return _store(visit, planned, choices=choices, now=now)


def plan_cancellation(visit: Visit, *, now: datetime) -> list[SmsMessage]:
    """Store a cancellation text for every patient who was told of the visit before, or is being told."""
    choices = _choices(visit)
    if not choices or not choices["confirms_cancelled"] or visit.starts_at is None or visit.starts_at <= now:
        return []
    told = set(SmsMessage.objects.filter(visit=visit, first_sent_at__isnull=False).values_list("contact_id", flat=True))
    due_at = now + _settling()
    planned = [
        _confirmation(contact, Kind.CANCELLED, choices=choices, starts_at=visit.starts_at, due_at=due_at)
        for contact in _reachable(visit)
        if contact.pk in told
    ]
    return _store(visit, planned, choices=choices, now=now)


def withdraw(visit: Visit, *, now: datetime) -> int:
    """Take back texts of earlier versions of ``visit`` that nobody has begun to send."""
    stale = SmsMessage.objects.open().filter(visit=visit, visit_version__lt=visit.version)
    return stale.update(state=SmsMessage.State.WITHDRAWN, finished_at=now)


def reminder_due(starts_at: datetime, minutes: int, *, time_zone: str) -> datetime:
    """Return when a reminder ``minutes`` before ``starts_at`` is due, in UTC.

    Whole days are counted on the wall clock of the visit's zone, anything else as time that passes: "a day
    before 9:00" is 9:00, also when the clocks change that night. A wall time that is skipped means the same
    time after the change; one that comes twice means the first.
    """
    if minutes % _DAY:
        return starts_at - timedelta(minutes=minutes)
    zone = ZoneInfo(time_zone)
    local = starts_at.astimezone(zone).replace(tzinfo=None, fold=0) - timedelta(minutes=minutes)
    return local.replace(tzinfo=zone).astimezone(UTC)


def snapshot_part(endpoint: FhirEndpoint) -> dict[str, Any]:
    """Return what an approval covers of an endpoint's texts; empty when there are none."""
    configuration: SmsConfiguration | None = getattr(endpoint, "sms_configuration", None)
    return part_of(configuration, words=templates.own_words(endpoint.organization))


def part_of(configuration: SmsConfiguration | None, *, words: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return the same from a draft, read with its numbers, and the organization's own words."""
    if configuration is None or configuration.number is None:
        return {}
    failover = configuration.failover_number
    return {
        "number": configuration.number.number,
        "supplier": configuration.number.supplier,
        "failover_number": failover.number if failover else "",
        "failover_supplier": failover.supplier if failover else "",
        "confirms_scheduled": configuration.confirms_scheduled,
        "confirms_moved": configuration.confirms_moved,
        "confirms_cancelled": configuration.confirms_cancelled,
        "reminder_minutes": configuration.reminder_minutes,
        "quiet_from": _clock(configuration.quiet_from),
        "quiet_until": _clock(configuration.quiet_until),
        "visit_cap": configuration.visit_cap,
        "organization_cap": configuration.organization_cap,
        "templates": words,
    }


def _clock(moment: time | None) -> str:
    return f"{moment:%H:%M}" if moment else ""


def approved_choices(configuration: ApprovedConfiguration) -> dict[str, Any]:
    """Return the approved choices about texts; empty when nothing may be sent."""
    return configuration.part("sms")


def approved_choices_of(endpoint: FhirEndpoint) -> dict[str, Any]:
    """Return what was approved for ``endpoint``, paused or not; empty when nothing was."""
    version = endpoint.approved_version
    return dict(version.snapshot.get("sms", {})) if version else {}


def _choices(visit: Visit) -> dict[str, Any]:
    try:
        return approved_choices(approved_configuration(visit.endpoint))
    except ConfigurationError:
        return {}


def _reachable(visit: Visit) -> list[PatientContact]:
    return list(visit.contacts.exclude(phone_index=""))


def _settling() -> timedelta:
    return timedelta(seconds=settings.SMS_SETTLE_SECONDS)


def _confirmation(
    contact: PatientContact, kind: str, *, choices: dict[str, Any], starts_at: datetime, due_at: datetime
) -> SmsMessage:
    hours = _quiet_hours(contact, choices, lead=None)
    due_at = quiet.confirm_at(due_at, starts_at=starts_at, quiet=hours)
    expires_at = min(starts_at, due_at + CONFIRMATION_USEFUL)
    return _text(contact, kind, due_at=due_at, expires_at=expires_at, contact_revision=contact.revision)


def _reminder(
    contact: PatientContact,
    minutes: int,
    *,
    choices: dict[str, Any],
    starts_at: datetime,
    told_at: datetime | None,
    now: datetime,
) -> SmsMessage | None:
    """Return one reminder, or None when the visit was booked too late for it."""
    meant_at = reminder_due(starts_at, minutes, time_zone=contact.visit.time_zone)
    is_repetition = told_at is not None and minutes >= _DAY and meant_at < told_at + JUST_TOLD
    if meant_at <= now or is_repetition:
        return None
    lead = timedelta(minutes=minutes)
    hours = _quiet_hours(contact, choices, lead=lead)
    due_at = quiet.ring_at(meant_at, starts_at=starts_at, quiet=hours, now=now)
    if due_at is None:
        return None
    expires_at = min(due_at + min(max(lead / 2, LEAST_LATE), MOST_LATE), starts_at - LAST_MOMENT)
    if expires_at <= due_at:
        return None
    # A reminder goes to whatever number there is then; only confirmations are owed to each number.
    return _text(
        contact, Kind.REMINDER, due_at=due_at, expires_at=expires_at, contact_revision=0, offset_minutes=minutes
    )


def _quiet_hours(
    contact: PatientContact, choices: dict[str, Any], *, lead: timedelta | None
) -> quiet.QuietHours | None:
    zone = contact.visit.time_zone
    return quiet.quiet_hours(choices, visit_zone=zone, phone=contact.phone or "", lead=lead)


def _text(contact: PatientContact, kind: str, **values: Any) -> SmsMessage:
    visit = contact.visit
    return SmsMessage(
        contact=contact,
        visit=visit,
        organization_id=visit.organization_id,
        visit_version=visit.version,
        kind=kind,
        **values,
    )


def _store(visit: Visit, planned: list[SmsMessage], *, choices: dict[str, Any], now: datetime) -> list[SmsMessage]:
    """Store ``planned``; what is planned already stays as it is (a message that came twice)."""
    SmsMessage.objects.bulk_create(planned, ignore_conflicts=True)
    _watch_changes(visit, cap=int(choices["visit_cap"]), now=now)
    return planned


def _watch_changes(visit: Visit, *, cap: int, now: datetime) -> None:
    """Raise the alarm once when a visit changes more often than patients could be told."""
    if visit.version <= cap:
        return
    told = SmsMessage.objects.filter(visit=visit, created_at__gt=now - limits.WINDOW).exclude(kind=Kind.REMINDER)
    if told.values("visit_version").distinct().count() == cap + 1:
        limits.alarm_visit(visit, cap=cap)

"""Keep a report with everything chosen on it, and say when it is sent next."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from config_portal.models import Organization
from core import audit
from reports.models import SavedView

SENT_AT = time(7)  # in the organization's zone: the numbers of the day before are complete
MOST_RECIPIENTS = 20


def visible_to(user: User, organization: Organization) -> QuerySet[SavedView]:
    """Return the views a person has of ``organization``: their own and shared ones."""
    mine = Q(owner=user) | Q(is_shared=True)
    return SavedView.objects.for_organization(organization).filter(mine).select_related("owner")


@transaction.atomic
def save(organization: Organization, user: User, *, name: str, tab: str, query: str, is_shared: bool) -> SavedView:
    """Keep a report under ``name``; one of the person's own of the same name is replaced."""
    view, _ = SavedView.objects.update_or_create(
        organization=organization, owner=user, name=name, defaults={"tab": tab, "query": query, "is_shared": is_shared}
    )
    return view


@transaction.atomic
def schedule(view: SavedView, *, cadence: str, recipients: Sequence[str], now: datetime) -> None:
    """Have a view sent from now on, or not any more."""
    view.cadence, view.recipients = cadence, list(recipients) if cadence else []
    view.next_at = next_time(view, after=now)
    view.error_code = ""
    view.save(update_fields=["cadence", "recipients", "next_at", "error_code"])
    audit.record(
        "reports.view_scheduled",
        organization_id=view.organization_id,
        actor=view.owner.username,
        subject=view,
        cadence=view.cadence,
        recipients=len(view.recipients),
    )


def next_time(view: SavedView, *, after: datetime) -> datetime | None:
    """Return when the view is sent next after ``after``; None when it is not sent."""
    if not view.cadence:
        return None
    zone = ZoneInfo(view.organization.time_zone)
    day = after.astimezone(zone).date()
    if datetime.combine(day, SENT_AT, zone) <= after:
        day += timedelta(days=1)
    while not _is_due_on(view.cadence, day.weekday(), day.day):
        day += timedelta(days=1)
    return datetime.combine(day, SENT_AT, zone)


def _is_due_on(cadence: str, weekday: int, day_of_month: int) -> bool:
    if cadence == SavedView.Cadence.WEEKLY:
        return weekday == 0
    return day_of_month == 1 if cadence == SavedView.Cadence.MONTHLY else True


@transaction.atomic
def claim_due(*, now: datetime) -> SavedView | None:
    """Take one view whose time has come, and set its next time before it is sent: never twice for one date."""
    due = SavedView.objects.filter(next_at__lte=now).select_related("organization", "owner").order_by("next_at")
    view = due.select_for_update(skip_locked=True, of=("self",)).first()
    if view is not None:
        view.next_at = next_time(view, after=now)
        view.save(update_fields=["next_at"])
    return view


def note_sent(view: SavedView, *, now: datetime) -> None:
    """Note that people have it."""
    SavedView.objects.filter(pk=view.pk).update(sent_at=now, error_code="")


def note_failed(view: SavedView, *, error_code: str) -> None:
    """Note why it was not sent; the next date tries again."""
    SavedView.objects.filter(pk=view.pk).update(error_code=error_code)

"""Erase what is no longer needed, when it is no longer needed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from visits import signals
from visits.models import JoinLink, PatientContact, Visit, VisitQuerySet

BATCH = 500


def purge_contacts(*, now: datetime) -> int:
    """Erase number and person index of contacts whose time has come; return how many were erased."""
    erased = 0
    while True:
        with transaction.atomic():
            due = PatientContact.objects.filter(purge_at__lte=now, phone__isnull=False)
            ids = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
            PatientContact.objects.filter(pk__in=ids).update(phone=None, phone_index="", person_index="")
            signals.contacts_purged.send(sender=PatientContact, contact_ids=ids)
        erased += len(ids)
        if len(ids) < BATCH:
            return erased


def expire_links(*, now: datetime) -> int:
    """Close links of visits that ended more than a day ago; return how many were closed."""
    links = JoinLink.objects.filter(ended_at=None, visit__ends_at__lte=now - timedelta(days=1))
    return links.update(ended_at=now, ending=JoinLink.Ending.EXPIRED)


def purge_ids(*, now: datetime, kept: timedelta) -> int:
    """Erase Epic's ids of visits that ended longer than ``kept`` ago; return how many visits lost theirs.

    The visit stays, for reports and the audit trail, and is found by its reference number. Its indexes stay too:
    they are HMACs that say nothing, and keep a late message from making the visit again.
    """
    return _with_ids_before(now - kept).update(
        session_id=b"", conference_id=None, fhir_patient_id=None, fhir_encounter_id=None
    )


def count_overdue_ids(now: datetime) -> int:
    """Return how many visits keep Epic's ids a day longer than they may."""
    return _with_ids_before(now - timedelta(days=settings.VISIT_ID_DAYS + 1)).count()


def _with_ids_before(moment: datetime) -> VisitQuerySet:
    """Return the visits that ended before ``moment`` and still have an id; one without an end ended when made."""
    over = Q(ends_at__lte=moment) | Q(ends_at=None, created_at__lte=moment)
    return Visit.objects.filter(over).exclude(session_id=b"")


def count_overdue_contacts(now: datetime) -> int:
    """Return how many numbers are kept longer than an hour after their visit began."""
    kept = PatientContact.objects.filter(phone__isnull=False)
    return kept.filter(visit__starts_at__lte=now - timedelta(hours=1)).count()

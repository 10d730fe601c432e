from datetime import timedelta

import pytest
from django.utils import timezone

from ehrconnector.schedule import BEAT_SCHEDULE
from tests.factories import make_contact, make_visit
from visits.models import JoinLink
from visits.services import links, retention
from visits.tasks import purge

pytestmark = pytest.mark.django_db


def test_a_number_outlives_the_start_by_less_than_an_hour():
    contact = make_contact()
    start = contact.visit.starts_at
    tick = timedelta(seconds=BEAT_SCHEDULE["visits.purge"]["schedule"])
    assert retention.purge_contacts(now=start + timedelta(minutes=49)) == 0
    assert retention.purge_contacts(now=start + timedelta(minutes=60) - tick) == 1
    contact.refresh_from_db()
    assert (contact.phone, contact.phone_index, contact.person_index) == (None, "", "")


def test_more_contacts_than_a_batch_are_all_erased(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    visit = make_visit()
    for n in range(4):
        visit.contacts.create(
            phone=f"+1608555014{n}", phone_index=str(n), person_index=str(n), purge_at=visit.starts_at
        )
    assert retention.purge_contacts(now=visit.starts_at + timedelta(hours=1)) == 5
    assert not visit.contacts.filter(phone__isnull=False).exists()


def test_a_link_expires_a_day_after_the_planned_end():
    visit = make_visit()
    link = links.ensure_link(visit.contacts.get())
    assert retention.expire_links(now=visit.ends_at + timedelta(hours=23)) == 0
    assert retention.expire_links(now=visit.ends_at + timedelta(hours=24)) == 1
    link.refresh_from_db()
    assert link.ending == JoinLink.Ending.EXPIRED


def test_the_recurring_task_erases_what_is_due():
    visit = make_visit(starts_at=timezone.now() - timedelta(hours=2))
    purge()
    assert visit.contacts.get().phone is None


def test_epics_ids_are_erased_a_month_after_the_visit_and_the_visit_stays():
    visit = make_visit()
    late = visit.ends_at + timedelta(days=30)
    kept = timedelta(days=30)
    assert retention.purge_ids(now=late - timedelta(seconds=1), kept=kept) == 0
    assert retention.count_overdue_ids(late + timedelta(days=2)) == 1
    assert retention.purge_ids(now=late, kept=kept) == 1
    visit.refresh_from_db()
    assert (visit.session_id, visit.conference_id, visit.fhir_patient_id) == ("", None, None)
    assert retention.purge_ids(now=late, kept=kept) == 0
    assert retention.count_overdue_ids(late + timedelta(days=2)) == 0

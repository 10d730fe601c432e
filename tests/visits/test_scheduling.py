from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from tests.factories import make_endpoint, make_scheduled, make_visit
from visits import signals
from visits.models import JoinLink, PatientContact, Visit
from visits.services import links, scheduling
from visits.services.lookup import get_or_create_for_launch
from visits.services.scheduling import CONTACT_GRACE, Change, ScheduledPerson, end_visit, schedule_visit

pytestmark = pytest.mark.django_db
NOW = timezone.now()
EARLIER = datetime(2026, 9, 14, 15, 0, tzinfo=UTC)
LATER = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)


@pytest.fixture
def endpoint():
    return make_endpoint()


@pytest.fixture
def heard():
    """The names of the signals that were sent, in order."""
    names = []
    receivers = {}
    for name in ("visit_scheduled", "visit_moved", "visit_contacts_changed", "visit_ended"):
        receivers[name] = lambda name=name, **_: names.append(name)
        getattr(signals, name).connect(receivers[name])
    yield names
    for name, receiver in receivers.items():
        getattr(signals, name).disconnect(receiver)


def test_a_new_visit_is_stored_and_announced(endpoint, heard):
    outcome = schedule_visit(endpoint, make_scheduled(), now=NOW)
    assert outcome.change == Change.CREATED
    assert outcome.visit.session_id == "482200417"
    assert heard == ["visit_scheduled"]


def test_the_same_news_again_changes_nothing_and_tells_nobody(endpoint, heard):
    scheduled = make_scheduled()
    first = schedule_visit(endpoint, scheduled, now=NOW)
    again = schedule_visit(endpoint, scheduled, now=NOW)
    assert again.visit == first.visit
    assert again.visit.version == 1
    assert heard == ["visit_scheduled"]


def test_another_start_moves_the_visit_and_ends_its_links(endpoint, heard):
    visit = make_visit(endpoint)
    link = links.ensure_link(visit.contacts.get())
    outcome = schedule_visit(
        endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at + timedelta(hours=1)), now=NOW
    )
    link.refresh_from_db()
    assert (outcome.change, outcome.visit.version) == (Change.MOVED, 2)
    assert link.ending == JoinLink.Ending.MOVED
    assert heard == ["visit_scheduled", "visit_moved"]


def test_older_news_changes_nothing(endpoint, heard):
    visit = make_visit(endpoint)
    outcome = schedule_visit(endpoint, make_scheduled(changed_at=EARLIER, starts_at=NOW), now=NOW)
    assert outcome.change == Change.SUPERSEDED
    assert Visit.objects.get().starts_at == visit.starts_at
    assert heard == ["visit_scheduled"]


def test_a_late_booking_does_not_undo_a_cancellation(endpoint):
    make_visit(endpoint)
    end_visit(endpoint, "482200417", state=Visit.State.CANCELLED, changed_at=LATER, now=NOW)
    outcome = schedule_visit(endpoint, make_scheduled(), now=NOW)
    assert outcome.change == Change.SUPERSEDED
    assert Visit.objects.get().state == Visit.State.CANCELLED


def test_a_cancelled_visit_that_is_booked_again_comes_back(endpoint, heard):
    visit = make_visit(endpoint)
    end_visit(endpoint, "482200417", state=Visit.State.CANCELLED, changed_at=LATER, now=NOW)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER + timedelta(hours=1), starts_at=visit.starts_at), now=NOW)
    assert Visit.objects.get().is_scheduled
    assert heard == ["visit_scheduled", "visit_ended", "visit_moved"]


def test_the_end_of_an_unknown_visit_is_no_visit(endpoint, heard):
    outcome = end_visit(endpoint, "999", state=Visit.State.CANCELLED, changed_at=LATER, now=NOW)
    assert outcome.visit is None
    assert not Visit.objects.exists()
    assert heard == []


def test_another_number_ends_the_link_that_went_to_the_old_one(endpoint, heard):
    visit = make_visit(endpoint)
    old = links.ensure_link(visit.contacts.get())
    people = (ScheduledPerson(record_number="E40021877", phone="+16085550199"),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at, people=people), now=NOW)
    contact = visit.contacts.get()
    old.refresh_from_db()
    assert (contact.phone, contact.revision) == ("+16085550199", 2)
    assert old.ending == JoinLink.Ending.REPLACED
    assert heard == ["visit_scheduled", "visit_contacts_changed"]


def test_a_message_that_says_nothing_about_the_number_keeps_it(endpoint):
    visit = make_visit(endpoint)
    people = (ScheduledPerson(record_number="E40021877", phone=None),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at, people=people), now=NOW)
    assert visit.contacts.get().phone == "+16085550177"


def test_a_deleted_number_is_gone(endpoint):
    visit = make_visit(endpoint)
    people = (ScheduledPerson(record_number="E40021877", phone=""),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at, people=people), now=NOW)
    contact = visit.contacts.get()
    assert (contact.phone, contact.phone_index) == (None, "")


def test_a_visit_given_to_another_patient_shuts_the_first_one_out(endpoint):
    visit = make_visit(endpoint)
    token = links.token_of(links.ensure_link(visit.contacts.get()))
    people = (ScheduledPerson(record_number="E40030551", phone="+16085550163"),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at, people=people), now=NOW)
    assert links.find_link(token) is None
    assert visit.contacts.get().phone == "+16085550163"


def test_two_endpoints_may_use_the_same_session_id(endpoint):
    other = make_endpoint(endpoint.organization)
    make_visit(endpoint)
    make_visit(other)
    assert Visit.objects.count() == 2


def test_no_name_and_no_record_number_is_stored(endpoint):
    visit = make_visit(endpoint)
    stored = str(list(PatientContact.objects.values())) + str(list(Visit.objects.values()))
    assert "E40021877" not in stored
    assert visit.contacts.get().person_index != ""


def test_a_message_without_a_language_or_patient_keeps_what_is_known(endpoint):
    spanish = (ScheduledPerson(record_number="E40021877", phone="+16085550177", language="es"),)
    visit = make_visit(endpoint, people=spanish)
    moved = visit.starts_at + timedelta(days=2)
    people = (ScheduledPerson(record_number="E40021877", phone=None),)
    schedule_visit(endpoint, make_scheduled(changed_at=LATER, starts_at=visit.starts_at, people=people), now=NOW)
    assert visit.contacts.get().language == "es"
    schedule_visit(
        endpoint, make_scheduled(changed_at=LATER, starts_at=moved, people=(), visit_type="", department=""), now=NOW
    )
    stored = Visit.objects.get()
    assert (stored.visit_type, stored.department) == ("VV30", "LMFM")
    assert stored.contacts.get().purge_at == moved + CONTACT_GRACE


def test_a_visit_that_a_launch_made_is_announced_as_new_once_its_schedule_is_known(endpoint, heard):
    get_or_create_for_launch(endpoint, session_id="482200417", conference_id="1853")
    outcome = schedule_visit(endpoint, make_scheduled(), now=NOW)
    assert outcome.change == Change.CREATED
    assert heard == ["visit_scheduled"]


def test_a_visit_that_a_launch_makes_at_the_same_moment_is_completed(endpoint, heard, monkeypatch):
    get_or_create_for_launch(endpoint, session_id="482200417", conference_id="1853")
    lock, unseen = scheduling._lock, iter([None])
    monkeypatch.setattr(scheduling, "_lock", lambda *about: next(unseen, lock(*about)))

    outcome = schedule_visit(endpoint, make_scheduled(), now=NOW)
    assert outcome.change == Change.CREATED
    assert heard == ["visit_scheduled"]
    assert Visit.objects.get().contacts.count() == 1

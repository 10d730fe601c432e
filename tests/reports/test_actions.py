from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from core.models import AuditEvent
from sms.models import SmsMessage
from tests.factories import make_endpoint, make_organization, make_staff, make_visit
from tests.reports.conftest import START, at
from visits.services import links
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db
State = WritebackEvent.State
REASON = "Set by hand in Epic"


@pytest.fixture
def row(visit, happen):
    """What Epic refused."""
    event = happen("provider", "connected", 0)
    return WritebackEvent.objects.create(
        organization=visit.organization,
        endpoint=visit.endpoint,
        visit=visit,
        meeting=event.participant.meeting,
        participant=event.participant,
        kind="connected",
        sequence=1,
        occurred_at=at(0),
        due_at=at(0),
        finished_at=at(1),
        state=State.FAILED,
        error_code="epic.conference_unknown",
        epic_code="NO-CONFERENCE-FOUND",
        http_status=404,
        response_ms=81,
        attempts=1,
        means="connection_status",
    )


@pytest.fixture
def as_role(client, visit):
    """Sign in with one role of the visit's organization."""

    def sign_in(role):
        client.force_login(make_staff(visit.organization, role, username=f"{role}@lamna.example.org"))
        return client

    return sign_in


def page(name, visit, *args):
    return reverse(f"visits:{name}", args=[visit.pk, *args])


def test_what_epic_refused_is_explained_with_who_mends_it(staff, visit, row):
    shown = staff.get(page("decide", visit, row.pk)).content.decode()
    for words in ("Provider 1 connected", "HTTP 404 after 81 ms", "NO-CONFERENCE-FOUND", "Epic analyst: check"):
        assert words in shown, words


def test_the_timeline_offers_the_decision_to_those_who_may_take_it(as_role, visit, row):
    link = page("decide", visit, row.pk)
    assert link in as_role(Role.SUPPORT).get(page("detail", visit)).content.decode()
    assert link not in as_role(Role.ANALYST).get(page("detail", visit)).content.decode()


def test_a_refused_write_back_is_sent_again_and_audited(staff, visit, row):
    assert staff.post(page("tell_again", visit, row.pk)).url == page("detail", visit)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.PENDING, 0)
    assert AuditEvent.objects.get(action="writeback.retried").actor == "avery.reed@lamna.example.org"


def test_a_write_back_is_marked_as_handled_with_a_reason(staff, visit, row):
    staff.post(page("decide", visit, row.pk), {"reason": REASON})
    row.refresh_from_db()
    assert (row.state, row.handled_reason) == (State.HANDLED, REASON)


@pytest.mark.parametrize("reason", ["", "ok", " " * 20])
def test_without_a_real_reason_nothing_is_marked(staff, visit, row, reason):
    answer = staff.post(page("decide", visit, row.pk), {"reason": reason})
    assert "There is a problem" in answer.content.decode()
    row.refresh_from_db()
    assert row.state == State.FAILED


def test_what_waits_for_an_id_cannot_be_sent_again(staff, visit, row):
    WritebackEvent.objects.update(state=State.NOT_SENDABLE, error_code="writeback.no_conference_id")
    shown = staff.get(page("decide", visit, row.pk)).content.decode()
    assert "Send to Epic again" not in shown
    assert "conferenceId=%CONFERENCEID%" in shown


def test_numbers_are_shown_to_support_with_a_reason_that_is_kept(staff, visit):
    links.ensure_link(visit.contacts.get())
    before = staff.get(page("reveal", visit)).content.decode()
    assert "5550177" not in before
    shown = staff.post(page("reveal", visit), {"reason": "Patient asks for the link"})
    text = shown.content.decode()
    assert "+16085550177" in text
    assert "/j/" in text
    assert shown.headers["Cache-Control"] == "no-store"
    event = AuditEvent.objects.get(action="visit.contacts_revealed")
    assert event.data["reason"] == "Patient asks for the link"
    assert "5550177" not in str(event.data)


def test_without_a_reason_no_number_is_shown(staff, visit):
    assert "5550177" not in staff.post(page("reveal", visit), {"reason": "x"}).content.decode()
    assert not AuditEvent.objects.filter(action="visit.contacts_revealed").exists()


def test_an_erased_number_is_said_to_be_erased(staff, visit):
    visit.contacts.update(phone=None)
    assert "erased" in staff.post(page("reveal", visit), {"reason": "Patient asks for it"}).content.decode()


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST, Role.REPORT_READER])
def test_nobody_but_support_reveals_a_number(as_role, visit, role):
    assert as_role(role).post(page("reveal", visit), {"reason": "Patient asks for it"}).status_code == 403


@pytest.fixture
def undelivered(visit):
    """A confirmation that did not arrive."""
    SmsMessage.objects.filter(kind="scheduled").update(
        state="undelivered", accepted_at=timezone.now(), finished_at=timezone.now(), number_ending="77"
    )
    return SmsMessage.objects.get(kind="scheduled")


@pytest.mark.parametrize(("role", "is_seen"), [(Role.SUPPORT, True), (Role.ADMIN, False), (Role.ANALYST, False)])
def test_digits_of_a_number_are_for_support_alone(as_role, visit, undelivered, role, is_seen):
    shown = as_role(role).get(page("detail", visit)).content.decode()
    assert ("ending 77" in shown) is is_seen


def test_a_text_that_did_not_arrive_is_sent_again(staff, visit, undelivered):
    link = page("text_again", visit, undelivered.pk)
    assert link in staff.get(page("detail", visit)).content.decode()
    assert staff.post(link).url == page("detail", visit)
    assert SmsMessage.objects.filter(kind="scheduled", copy=1, state="pending").count() == 1


def test_a_text_that_cannot_go_out_again_says_why(staff, visit, undelivered):
    visit.contacts.update(phone=None)
    answer = staff.post(page("text_again", visit, undelivered.pk), follow=True)
    assert "Not sent again: The phone number is erased" in answer.content.decode()


@pytest.mark.parametrize("name", ["decide", "tell_again", "text_again", "reveal"])
def test_rows_of_another_hospital_are_not_found(staff, row, undelivered, name):
    stranger = make_visit(make_endpoint(make_organization(), with_sms=False))
    arguments = {"decide": [row.pk], "tell_again": [row.pk], "text_again": [undelivered.pk], "reveal": []}[name]
    assert staff.post(page(name, stranger, *arguments)).status_code == 404


def test_rows_of_another_visit_are_not_found(staff, visit, row, undelivered):
    other = make_visit(visit.endpoint, session_id="7", starts_at=START + timedelta(days=1))
    assert staff.post(page("tell_again", other, row.pk)).status_code == 404
    assert staff.post(page("text_again", other, undelivered.pk)).status_code == 404

"""A patient who is stuck before the lobby is seen by the provider, who can send the link again."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from launch.models import DeviceTest, LaunchAttempt
from launch.services import arrivals, device_tests
from meetings.models import Meeting, Participant
from meetings.services.participants import expect
from sms.models import SmsMessage
from tests.launch.pages import form_token
from tests.meetings.rows import make_meeting
from visits.models import Visit
from visits.services.links import ensure_link, token_of

FINE = dict.fromkeys(DeviceTest.CHECKS, "passed")
IN_90_SECONDS = timedelta(seconds=90)


@pytest.fixture
def meeting(visit):
    return make_meeting(visit)


@pytest.fixture
def provider(launch, meeting, graph):
    begun = launch()
    begun.finish()
    return begun.browser


def record(attempt, **results):
    return device_tests.record(attempt, results={**FINE, **results}, measures={}, user_agent="", now=timezone.now())


def stuck(visit, *, later=timedelta(0)):
    now = timezone.now() + later
    return [arrival.attempt for arrival in arrivals.of_visit(visit, now=now) if arrival.is_stuck(now=now)]


def another_patient_comes(visit):
    contact = visit.contacts.create(person_index=uuid.uuid4().hex, purge_at=timezone.now() + timedelta(hours=1))
    Client().post(f"/j/{token_of(ensure_link(contact))}", secure=True)


def test_who_opened_the_visit_is_stuck_after_90_seconds_outside_the_lobby(attempt, visit):
    assert stuck(visit) == []
    assert stuck(visit, later=IN_90_SECONDS) == [attempt]


@pytest.mark.parametrize("state", ["waiting", "connected", "left"])
def test_nobody_is_stuck_who_was_in_the_lobby(attempt, visit, meeting, state):
    expect(meeting, role="patient", contact=attempt.contact, now=timezone.now())
    assert stuck(visit, later=IN_90_SECONDS) == [attempt]
    Participant.objects.update(state=state)
    assert stuck(visit, later=IN_90_SECONDS) == []


def test_a_failed_device_test_is_seen_at_once_and_a_better_one_settles_it(attempt, visit):
    record(attempt, camera="refused")
    assert stuck(visit) == [attempt]
    record(attempt)
    assert stuck(visit) == []


def test_what_a_patient_skips_is_no_trouble(attempt, visit):
    record(attempt, camera="skipped", call="skipped")
    assert stuck(visit) == []


def test_who_only_tested_the_device_has_not_opened_the_visit(attempt, visit):
    LaunchAttempt.objects.update(state=LaunchAttempt.State.CHECKING)
    assert arrivals.of_visit(visit, now=timezone.now() + IN_90_SECONDS) == []


def test_a_patient_counts_once_however_often_the_link_is_opened(attempt, visit, address):
    Client().post(address, secure=True)
    assert [row.attempt for row in arrivals.of_visit(visit, now=timezone.now())] == [
        LaunchAttempt.objects.latest("created_at")
    ]


def test_several_patients_cost_no_more_statements_than_one(attempt, visit, django_assert_num_queries):
    for _ in range(3):
        another_patient_comes(visit)
    with django_assert_num_queries(3):
        assert len(arrivals.of_visit(visit, now=timezone.now())) == 4


def test_the_provider_sees_who_needs_help_and_why(provider, attempt):
    before = provider.get("/launch/visit", secure=True).content.decode()
    assert "may need help" not in before
    LaunchAttempt.objects.filter(pk=attempt.pk).update(finished_at=timezone.now() - timedelta(minutes=3))
    record(attempt, microphone="failed", connection="poor")
    page = " ".join(provider.get("/launch/visit", secure=True).content.decode().split())
    assert "A patient may need help" in page
    assert "is on the page before the waiting room. connection: works poorly; microphone: does not work." in page
    LaunchAttempt.objects.filter(pk=attempt.pk).update(state=LaunchAttempt.State.JOINED)
    assert (
        "went on to Teams and has not asked to be let in" in provider.get("/launch/visit", secure=True).content.decode()
    )


def test_a_passed_device_test_is_shown_to_the_provider(provider, attempt):
    record(attempt)
    assert "Device test passed" in provider.get("/launch/visit", secure=True).content.decode()


class TestTextingTheLinkAgain:
    """The remedy on the provider's page."""

    @pytest.fixture
    def sent(self, attempt):
        """The confirmation that the patient got."""
        message = SmsMessage.objects.get(kind=SmsMessage.Kind.SCHEDULED)
        message.state = SmsMessage.State.DELIVERED
        message.save(update_fields=["state"])
        return message

    def ask(self, provider):
        token = form_token(provider.get("/launch/visit", secure=True))
        return provider.post("/launch/visit/text", {"token": token}, secure=True)

    def test_sends_the_newest_text_once(self, provider, sent):
        page = self.ask(provider)
        assert page.url == "/launch/visit?texted"
        assert "on its way" in provider.get(page.url, secure=True).content.decode()
        self.ask(provider)
        (copy,) = SmsMessage.objects.filter(copy__gt=0)
        assert (copy.copy, copy.kind, copy.state) == (1, "scheduled", "pending")
        assert "status page" in copy.resend_reason

    def test_works_while_the_visit_runs_and_not_after_it(self, provider, sent, visit):
        now = timezone.now()
        Visit.objects.update(starts_at=now - timedelta(minutes=5), ends_at=now + timedelta(minutes=20))
        assert self.ask(provider).status_code == 303
        (copy,) = SmsMessage.objects.filter(copy__gt=0)
        assert copy.expires_at > now
        copy.delete()
        Visit.objects.update(ends_at=now)
        page = self.ask(provider)
        assert page.status_code == 409
        assert "The visit is over." in page.content.decode()

    def test_says_when_there_is_nothing_to_send(self, provider):
        page = self.ask(provider)
        assert page.status_code == 409
        assert "No text was sent for this visit." in page.content.decode()

    def test_is_for_the_provider_of_this_visit_alone(self, provider, patient, sent):
        assert patient.post("/launch/visit/text", {"token": "made-up"}, secure=True).status_code == 403
        assert provider.post("/launch/visit/text", {"token": "made-up"}, secure=True).status_code == 403
        assert not SmsMessage.objects.filter(copy__gt=0).exists()


@pytest.mark.parametrize(("number", "is_offered"), [("+1 608-555-0100", True), ("", False)])
def test_where_teams_has_a_number_joining_by_telephone_is_one_of_the_remedies(
    launch, attempt, visit, meeting, graph, number, is_offered
):
    Meeting.objects.update(dial_in_number=number, dial_in_id="000000019")
    LaunchAttempt.objects.filter(pk=attempt.pk).update(finished_at=timezone.now() - IN_90_SECONDS)
    begun = launch()
    begun.finish(session_id=visit.session_id)
    page = begun.browser.get("/launch/visit", secure=True).content.decode()
    assert "A patient may need help" in page
    assert ("+1 608-555-0100, conference ID 000000019" in page) is is_offered

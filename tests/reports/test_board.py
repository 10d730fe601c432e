from datetime import timedelta

import pytest
from django.urls import reverse

from hl7intake.models import InboundMessage
from launch.models import LaunchAttempt
from meetings.models import Meeting
from reports.services import board, expectation
from reports.services.attention import Stage, attention_of, stage_of
from tests.factories import make_endpoint, make_organization, make_visit
from tests.reports.conftest import NOW, START, at
from visits.models import Visit
from writeback.models import WritebackEvent

pytestmark = pytest.mark.django_db
BOARD, SEARCH = reverse("visits:board"), reverse("visits:search")


def row_of(visit):
    return board.rows_of([visit])[0]


def next_of(visit, *, now):
    return [moment.title for moment in expectation.expected(row_of(visit), now=now)]


def test_a_visit_goes_through_its_stages_and_says_what_comes_next(visit, happen):
    assert (stage_of(row_of(visit)), next_of(visit, now=NOW)) == (Stage.SCHEDULED, ["Patient and provider join"])
    happen("patient", "lobby_entered", 0)
    assert (stage_of(row_of(visit)), next_of(visit, now=at(5))) == (Stage.WAITING, ["Provider joins from Epic"])
    happen("provider", "connected", 10)
    assert (stage_of(row_of(visit)), next_of(visit, now=at(15))) == (Stage.WAITING, ["Provider admits the patient"])
    happen("patient", "connected", 20)
    assert (stage_of(row_of(visit)), next_of(visit, now=at(25))) == (Stage.IN_VISIT, ["They leave, and Epic is told"])
    happen("patient", "disconnected", 30)
    happen("provider", "disconnected", 40)
    assert (stage_of(row_of(visit)), next_of(visit, now=at(45))) == (Stage.DONE, [])


def test_a_provider_alone_waits_for_the_patient(visit, happen):
    happen("provider", "connected", 0)
    assert next_of(visit, now=at(5)) == ["Patient joins"]


def test_nobody_is_expected_at_a_visit_that_is_long_over_or_cancelled(visit):
    assert next_of(visit, now=START + timedelta(hours=3)) == []
    Visit.objects.update(state="cancelled")
    visit.refresh_from_db()
    assert next_of(visit, now=NOW) == []
    assert stage_of(row_of(visit)) == Stage.DONE


def test_a_long_wait_needs_attention(visit, happen):
    happen("patient", "lobby_entered", 0)
    assert attention_of(row_of(visit), now=at(599)) == []
    assert attention_of(row_of(visit), now=at(600)) == ["waiting"]


def test_a_text_that_did_not_arrive_needs_attention_until_the_visit(visit):
    visit.sms_messages.filter(kind="scheduled").update(state="undelivered", accepted_at=NOW)
    assert attention_of(row_of(visit), now=NOW) == ["text"]
    assert attention_of(row_of(visit), now=START) == []


@pytest.mark.parametrize(
    ("state", "reasons"),
    [("failed", ["refused"]), ("unknown", ["refused"]), ("not_sendable", ["held"]), ("pending", []), ("handled", [])],
)
def test_what_epic_was_not_told_needs_attention_until_it_is_settled(visit, happen, state, reasons):
    event = happen("provider", "connected", 0)
    WritebackEvent.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, meeting=event.participant.meeting,
        participant=event.participant, kind="connected", sequence=1, occurred_at=at(0), due_at=at(0), state=state,
    )  # fmt: skip
    assert attention_of(row_of(visit), now=at(5)) == reasons


def test_a_meeting_that_could_not_be_made_needs_attention(visit, meeting):
    Meeting.objects.update(state="creating", error_code="graph.access_policy_missing")
    assert attention_of(row_of(visit), now=NOW) == ["meeting"]


def test_filters_count_and_leave_what_belongs_to_them(staff, visit, happen):
    make_visit(visit.endpoint, session_id="77001", starts_at=START)
    happen("patient", "lobby_entered", -11_000)
    page = staff.get(BOARD, {"show": "waiting"}).content.decode()
    for words in ("All 2", "Waiting 1", "Scheduled 1", "Done 0"):
        assert words in page, words
    assert "482200417" in page
    assert "77001" not in page
    assert "No visits here" in staff.get(BOARD, {"show": "done"}).content.decode()


@pytest.mark.parametrize("show", ["everything", "<script>", "waiting\x00"])
def test_a_filter_that_does_not_exist_is_all(staff, visit, show):
    assert "482200417" in staff.get(BOARD, {"show": show}).content.decode()


def refresh(staff, url, **parameters):
    return staff.get(url, parameters, headers={"HX-Request": "true"})


def seen_by(page):
    return page.content.decode().partition('name="seen" value="')[2][:16]


@pytest.mark.parametrize("name", ["board", "detail"])
def test_a_page_that_shows_what_is_gets_nothing_and_news_at_once(staff, visit, happen, name):
    url = reverse(f"visits:{name}", args=[visit.pk] if name == "detail" else [])
    shown = seen_by(staff.get(url))
    assert refresh(staff, url, seen=shown).status_code == 204
    happen("patient", "lobby_entered", -10)
    news = refresh(staff, url, seen=shown)
    assert news.status_code == 200
    assert "<html" not in news.content.decode()
    assert refresh(staff, url, seen=seen_by(news)).status_code == 204


def receive(visit, endpoint=None, control_id="700000101", **values):
    endpoint = endpoint or visit.endpoint
    return InboundMessage.objects.create(
        organization=endpoint.organization, endpoint=endpoint, visit=visit, control_id=control_id,
        sha256="0" * 64, trigger="S12", received_at=NOW, ack_code="AA", **values,
    )  # fmt: skip


def test_a_visit_is_found_by_every_number_that_somebody_may_have(staff, visit):
    receive(visit)
    attempt = LaunchAttempt.objects.create(
        organization=visit.organization, endpoint=visit.endpoint, visit=visit, audience="provider"
    )
    for text in ("482200417", visit.reference.lower(), "700000101", attempt.reference):
        assert staff.get(SEARCH, {"q": text}).url == reverse("visits:detail", args=[visit.pk]), text


def test_a_message_without_a_visit_says_what_became_of_it(staff, visit):
    receive(None, visit.endpoint, control_id="bad-1", state="rejected", error_code="hl7.unknown_type")
    page = staff.get(SEARCH, {"q": "bad-1"}).content.decode()
    assert "A message, but no visit" in page
    assert "hl7.unknown_type" in page


def test_messages_and_launches_of_another_hospital_are_not_found(staff, visit):
    stranger = make_visit(make_endpoint(make_organization(), with_sms=False), session_id="999")
    receive(stranger, stranger.endpoint, control_id="foreign-1")
    attempt = LaunchAttempt.objects.create(
        organization=stranger.organization, endpoint=stranger.endpoint, visit=stranger, audience="provider"
    )
    for text in ("foreign-1", attempt.reference, stranger.reference, "999"):
        assert "No visit with this number" in staff.get(SEARCH, {"q": text}).content.decode(), text


def test_times_are_those_of_the_visits_zone_with_the_date_where_it_changes(staff, visit):
    receive(visit)
    page = staff.get(reverse("visits:detail", args=[visit.pk])).content.decode()
    assert "Nov 24 09:00" in page

"""Group visits: everybody meets in one conference, and nobody sees another patient."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from launch.models import LaunchAttempt
from meetings.models import Meeting, Participant
from tests.factories import make_contact, make_visit
from tests.launch.pages import code_of, form_token
from tests.meetings.background import bring_in_line
from visits.models import Visit
from visits.services.links import ensure_link, token_of
from visits.services.scheduling import ScheduledPerson

CONFERENCE = "1853"


def soon():
    return timezone.now().replace(microsecond=0) + timedelta(minutes=10)


@pytest.fixture
def appointments(endpoint):
    """Two patients' own appointments of one group."""
    return [
        make_visit(
            endpoint,
            session_id=csn,
            starts_at=soon(),
            is_group=True,
            people=(ScheduledPerson(record_number=f"E{csn}", phone=f"+160855501{csn[-2:]}"),),
        )
        for csn in ("482200401", "482200402")
    ]


def group_launch(launch, audience, csn, sub):
    begun = launch(audience)
    begun.finish(sub=sub, session_id=CONFERENCE, csn=csn, conferenceId=CONFERENCE)
    return begun.browser


def by_text(visit):
    browser = Client()
    assert browser.post(f"/j/{token_of(ensure_link(make_contact(visit)))}", secure=True).status_code == 303
    return browser


def go(browser):
    return browser.post("/visit/join", {"token": form_token(browser.get("/visit", secure=True))}, secure=True)


def test_everybody_of_a_group_comes_into_the_same_meeting(launch, appointments, graph):
    one, two = appointments
    group_launch(launch, "provider", "482200401", "Practitioner/eP.okafor")
    mychart = group_launch(launch, "patient", "482200402", "Patient/eX.nguyen")
    assert go(mychart).status_code == 200
    assert go(by_text(one)).status_code == 200
    meeting = Meeting.objects.get()
    assert graph.calls["create"] == 1
    assert (meeting.visit.session_id, meeting.visit.is_group) == (CONFERENCE, True)
    assert {one.pk, two.pk} == set(meeting.visit.appointments.values_list("pk", flat=True))
    assert meeting.visit.starts_at == one.starts_at
    assert sorted(meeting.participants.values_list("role", "ordinal")) == [("patient", 1), ("patient", 2)]


def test_a_patient_sees_only_their_own_place(launch, appointments, graph):
    group_launch(launch, "provider", "482200401", "Practitioner/eP.okafor")
    group_launch(launch, "patient", "482200402", "Patient/eX.nguyen")
    mine = by_text(appointments[0])
    go(mine)
    Participant.objects.update(state=Participant.State.WAITING)
    page = mine.get("/visit", secure=True).content.decode()
    assert "You are in the waiting room" in page
    for foreign in ("Patient 2", "482200402", CONFERENCE, "eX.nguyen", "Nguyen"):
        assert foreign not in page


def test_a_text_does_not_lead_into_a_meeting_of_ones_own(appointments, graph):
    page = go(by_text(appointments[0]))
    assert code_of(page) == "join.group_not_open"
    assert not Meeting.objects.exists()


def test_a_message_that_names_everybody_is_the_conference(launch, endpoint, graph):
    people = tuple(ScheduledPerson(record_number=f"E{number}", phone=f"+1608555017{number}") for number in range(3))
    visit = make_visit(endpoint, session_id="482200401", starts_at=soon(), is_group=True, people=people)
    group_launch(launch, "provider", "482200401", "Practitioner/eP.okafor")
    group_launch(launch, "patient", "482200402", "Patient/eX.nguyen")
    assert set(LaunchAttempt.objects.values_list("visit", flat=True)) == {visit.pk}
    assert Visit.objects.get(pk=visit.pk).conference_id == CONFERENCE


def test_another_providers_launch_makes_no_second_meeting(launch, appointments, graph):
    group_launch(launch, "provider", "482200401", "Practitioner/eP.okafor")
    group_launch(launch, "provider", "482200402", "Practitioner/eP.halvorsen")
    bring_in_line()
    assert Meeting.objects.count() == graph.calls["create"] == 1


def test_a_patient_who_cancels_leaves_the_group_its_meeting(launch, endpoint, appointments, graph):
    group_launch(launch, "provider", "482200401", "Practitioner/eP.okafor")
    bring_in_line()
    mine = by_text(appointments[0])
    Visit.objects.filter(pk=appointments[0].pk).update(state=Visit.State.CANCELLED)
    assert code_of(go_anyway(mine)) == "join.cancelled"
    assert Meeting.objects.get().state == Meeting.State.READY


def go_anyway(browser):
    return browser.get("/visit", secure=True)

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from meetings.models import Participant
from meetings.providers.base import Identity, RosterChange, Whereabouts
from meetings.services import participants
from tests.factories import TENANT_ID, make_contact
from tests.meetings.graph import PROVIDER
from tests.meetings.rows import make_meeting

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
Role = Participant.Role


def at(second):
    return START + timedelta(seconds=second)


def expect(meeting, role, second=0, **values):
    return participants.expect(meeting, role=role, now=at(second), **values)


def arrive(meeting, device, second=1, *, oid="", tenant=TENANT_ID, outsider=""):
    identity = Identity(id=oid, tenant_id=str(tenant)) if oid else Identity(id=outsider or device)
    change = RosterChange(connection_id=device, whereabouts=Whereabouts.IN_CALL, identity=identity)
    return participants.connection_of(meeting, change, at=at(second), now=at(second)).participant


def test_the_expected_provider_is_the_member_who_comes_and_is_known_by_the_account_from_then_on():
    meeting = make_meeting()
    doctor = expect(meeting, Role.PROVIDER, ehr_user_id="E1")
    assert arrive(meeting, "d1", oid=PROVIDER) == doctor
    assert arrive(meeting, "d2", oid=PROVIDER) == doctor


def test_the_expected_patient_is_the_outsider_who_comes():
    meeting = make_meeting()
    expect(meeting, Role.PROVIDER, ehr_user_id="E1")
    patient = expect(meeting, Role.PATIENT, ehr_user_id="E2")
    assert arrive(meeting, "g") == patient


def test_a_user_of_another_tenant_is_an_outsider():
    meeting = make_meeting()
    expect(meeting, Role.PROVIDER, ehr_user_id="E1")
    patient = expect(meeting, Role.PATIENT, ehr_user_id="E2")
    assert arrive(meeting, "g", oid=PROVIDER, tenant=uuid.uuid4()) == patient


def test_people_who_were_not_expected_have_no_name():
    meeting = make_meeting()
    colleague, stranger = arrive(meeting, "d", oid=PROVIDER), arrive(meeting, "g")
    assert (colleague.label, colleague.is_named) == ("Provider 1", False)
    assert (stranger.label, stranger.is_named) == ("Guest 1", False)


def test_one_expectation_lets_one_person_in():
    meeting = make_meeting()
    patient = expect(meeting, Role.PATIENT, ehr_user_id="E2")
    assert arrive(meeting, "g1") == patient
    assert arrive(meeting, "g2") != patient


def test_two_patients_arrive_in_the_order_in_which_they_were_sent():
    meeting = make_meeting()
    first = expect(meeting, Role.PATIENT, 0, ehr_user_id="E1")
    second = expect(meeting, Role.PATIENT, 5, ehr_user_id="E2")
    assert arrive(meeting, "g1", 10) == first
    assert arrive(meeting, "g2", 12) == second
    assert (first.label, second.label) == ("Patient 1", "Patient 2")


def test_somebody_who_was_sent_long_ago_and_never_came_does_not_lend_the_name():
    meeting = make_meeting()
    expect(meeting, Role.PATIENT, 0, ehr_user_id="E1")
    second = expect(meeting, Role.PATIENT, 900, ehr_user_id="E2")
    assert arrive(meeting, "g", 910) == second


def test_a_patient_who_needed_an_hour_is_still_that_patient():
    meeting = make_meeting()
    patient = expect(meeting, Role.PATIENT, 0, ehr_user_id="E1")
    assert arrive(meeting, "g", 3600) == patient


@pytest.mark.parametrize("known_by", ["ehr_user_id", "contact", "entra_object_id"])
def test_the_same_person_sent_twice_is_one_participant_who_may_come_with_a_second_device(known_by):
    meeting = make_meeting()
    value = {
        "ehr_user_id": "E1",
        "contact": make_contact(meeting.visit),
        "entra_object_id": uuid.UUID(PROVIDER),
    }[known_by]
    patient = expect(meeting, Role.PATIENT, 0, **{known_by: value})
    assert arrive(meeting, "g1", 1) == patient
    assert expect(meeting, Role.PATIENT, 30, **{known_by: value}) == patient
    assert arrive(meeting, "g2", 31) == patient


def test_an_outsider_who_comes_back_under_the_same_identity_is_recognized():
    meeting = make_meeting()
    patient = expect(meeting, Role.PATIENT, ehr_user_id="E1")
    assert arrive(meeting, "g1", outsider="8:acs:7") == patient
    assert arrive(meeting, "g2", outsider="8:acs:7") == patient


def test_a_provider_who_entered_before_launching_gets_the_name_afterwards():
    meeting = make_meeting()
    unknown = arrive(meeting, "d", oid=PROVIDER)
    named = expect(meeting, Role.PROVIDER, ehr_user_id="E1", entra_object_id=uuid.UUID(PROVIDER))
    assert named == unknown
    assert named.is_named


def test_an_ehr_user_id_is_not_readable_in_the_database():
    expect(make_meeting(), Role.PROVIDER, ehr_user_id="EAOKAFOR77")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text FROM meetings_participant p")
        assert "EAOKAFOR77" not in cursor.fetchone()[0]
    assert Participant.objects.get().ehr_user_id == "EAOKAFOR77"


def test_an_account_that_is_no_uuid_is_an_outsider():
    meeting = make_meeting()
    assert arrive(meeting, "x", oid="orgid:somebody").role == Role.GUEST

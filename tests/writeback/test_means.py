"""By which means Epic is told: a status, a line in the chart, a flowsheet row."""

import json
import uuid
from datetime import timedelta

import pytest

from config_portal.services.connections import approved_configuration
from core.errors import ConfigurationError, OutcomeUnknown
from epic import fhir
from meetings.models import PresenceEvent
from tests.writeback.conftest import STATUS_PATH, set_conference
from writeback.models import WritebackConfiguration, WritebackEvent
from writeback.services import courier, outbox
from writeback.services.charts import remember_chart
from writeback.services.choices import approved_choices

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State
FHIR = "/interconnect/api/FHIR/R4"
TEST_ID = uuid.UUID(int=7)
PARTS = {"connection": "passed", "camera": "failed", "microphone": "passed", "speaker": "passed"}


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


@pytest.fixture
def in_chart(visit):
    """A launch has said whose chart it is."""
    visit.fhir_patient_id, visit.fhir_encounter_id = "eX.rivera", "eE1"
    visit.save()


@pytest.fixture
def deliver(visit, now):
    return lambda after=timedelta(): courier.deliver(visit.endpoint, clock=lambda: now + after)


def test_unless_chosen_otherwise_epic_is_told_a_status_by_the_backend_app(visit):
    choices = approved_choices(approved_configuration(visit.endpoint))
    assert (choices.means, choices.authorization, choices.device_tests) == (
        "connection_status", "backend_oauth", "store_only",
    )  # fmt: skip


def test_a_choice_takes_effect_once_it_is_approved(visit, choose):
    choose(most_at_once=3)
    WritebackConfiguration.objects.update(means="communication", most_at_once=9)
    choices = approved_choices(approved_configuration(visit.endpoint))
    assert (choices.means, choices.most_at_once) == ("connection_status", 3)


def test_the_password_is_neither_in_the_snapshot_nor_in_clear_in_the_database(visit, choose):
    choose(authorization="basic", basic_username="LAMNAVIDEO", basic_password="pass:word")
    assert "pass:word" not in json.dumps(visit.endpoint.approved_version.snapshot)
    raw = WritebackConfiguration.objects.extra(select={"raw": "basic_password"}).values_list("raw", flat=True)[0]
    assert b"pass:word" not in bytes(raw)


def test_a_background_user_tells_epic(tell, provider, peer, deliver, choose):
    choose(authorization="basic", basic_username="LAMNAVIDEO", basic_password="pass:word")
    peer.answers(STATUS_PATH)
    tell(provider, Kind.CONNECTED)
    assert deliver() == 1
    headers = peer.calls(STATUS_PATH)[0].headers
    assert headers["Authorization"].startswith("Basic ")
    assert headers["Epic-Client-Id"] == "backend-app"


def test_without_a_password_rows_wait_and_say_why(tell, provider, peer, deliver, choose):
    choose(authorization="basic", basic_username="LAMNAVIDEO")
    row = tell(provider, Kind.CONNECTED)
    assert deliver() == 0
    row.refresh_from_db()
    assert (row.state, row.error_code) == (State.PENDING, "writeback.no_password")
    assert peer.received == []


@pytest.mark.usefixtures("in_chart")
def test_a_line_in_the_chart_names_role_and_time_and_nobody(tell, provider, visit, peer, deliver, choose, now):
    choose(means="communication")
    set_conference(visit, None)  # the chart needs none
    peer.answers(f"{FHIR}/Communication", status=201)
    row = tell(provider, Kind.CONNECTED)
    assert deliver() == 1
    sent = json.loads(peer.calls(f"{FHIR}/Communication")[0].body)
    (payload,) = sent["payload"]
    assert payload["contentString"].startswith("Provider 1 connected to the video visit on ")
    assert sent["subject"]["reference"] == "Patient/eX.rivera"
    row.refresh_from_db()
    assert (row.state, row.means, row.http_status) == (State.ACCEPTED, "communication", 201)


@pytest.mark.usefixtures("in_chart")
def test_a_flowsheet_row_is_written_under_the_sites_code(tell, provider, peer, deliver, choose):
    choose(means="observation", observation_system="urn:oid:1.2.3", presence_code="14021")
    peer.answers(f"{FHIR}/Observation", status=201)
    tell(provider, Kind.CONNECTED)
    assert deliver() == 1
    sent = json.loads(peer.calls(f"{FHIR}/Observation")[0].body)
    assert sent["code"]["coding"] == [{"system": "urn:oid:1.2.3", "code": "14021"}]


@pytest.mark.usefixtures("in_chart")
def test_a_flowsheet_row_without_a_code_waits_and_says_why(tell, provider, deliver, choose):
    choose(means="observation")
    row = tell(provider, Kind.CONNECTED)
    deliver()
    row.refresh_from_db()
    assert (row.state, row.error_code) == (State.PENDING, "writeback.no_observation_code")


@pytest.mark.usefixtures("in_chart")
def test_a_refusal_keeps_epics_own_code(tell, provider, peer, deliver, choose):
    choose(means="communication")
    body = {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "4130"}]}}]}
    peer.answers(f"{FHIR}/Communication", body, status=403)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    row.refresh_from_db()
    assert (row.state, row.error_code, row.epic_code) == (State.FAILED, "epic.break_the_glass", "4130")


@pytest.mark.usefixtures("in_chart")
def test_an_entry_that_may_have_been_made_is_not_made_again(tell, provider, deliver, choose, monkeypatch):
    choose(means="communication")

    def no_answer(*_, **__):
        raise OutcomeUnknown("epic.no_answer")

    monkeypatch.setattr(fhir, "create", no_answer)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    row.refresh_from_db()
    assert (row.state, row.error_code) == (State.UNKNOWN, "epic.no_answer")


@pytest.mark.usefixtures("in_chart")
def test_an_entry_whose_worker_died_is_not_made_again(tell, provider, choose, now):
    choose(means="communication")
    row = tell(provider, Kind.CONNECTED)
    WritebackEvent.objects.filter(pk=row.pk).update(
        state=State.SENDING, attempt_id=uuid.uuid4(), lease_until=now - timedelta(seconds=1)
    )
    assert outbox.recover_abandoned(now=now) == 1
    row.refresh_from_db()
    assert (row.state, row.error_code) == (State.UNKNOWN, "writeback.worker_lost")


def test_until_a_launch_says_whose_chart_it_is_the_row_is_held(tell, provider, visit, peer, deliver, choose, now):
    choose(means="communication")
    peer.answers(f"{FHIR}/Communication", status=201)
    row = tell(provider, Kind.CONNECTED)
    assert (row.state, row.error_code) == (State.NOT_SENDABLE, "writeback.no_patient")
    assert outbox.release_all_held(now=now) == 0
    remember_chart(visit, patient_id="eX.rivera", encounter_id="")
    assert outbox.release_all_held(now=now) == 1
    assert deliver() == 1


def test_a_chart_is_not_remembered_where_nobody_writes_to_it(visit):
    remember_chart(visit, patient_id="eX.rivera", encounter_id="eE1")
    visit.refresh_from_db()
    assert visit.fhir_patient_id is None


def test_the_chart_of_a_group_visit_is_not_remembered(visit, choose):
    choose(means="communication")
    visit.is_group = True
    remember_chart(visit, patient_id="eX.rivera", encounter_id="eE1")
    visit.refresh_from_db()
    assert visit.fhir_patient_id is None


def store_test(visit, now, *, passed=False):
    return outbox.store_device_test(visit, test_id=TEST_ID, passed=passed, parts=PARTS, at=now, now=now)


def test_results_of_device_tests_stay_here_unless_chosen_otherwise(visit, now):
    assert store_test(visit, now) is None
    assert not WritebackEvent.objects.exists()


@pytest.mark.usefixtures("in_chart")
def test_a_device_test_becomes_a_line_in_the_chart_once(visit, now, peer, deliver, choose):
    choose(device_tests="communication")
    peer.answers(f"{FHIR}/Communication", status=201)
    assert store_test(visit, now).pk == store_test(visit, now).pk
    assert deliver() == 1
    (request,) = peer.calls(f"{FHIR}/Communication")
    (payload,) = json.loads(request.body)["payload"]
    assert payload["contentString"].startswith("Device test not passed on ")
    assert payload["contentString"].endswith(": camera did not work.")


@pytest.mark.usefixtures("in_chart")
def test_a_device_test_becomes_a_flowsheet_row_under_its_own_code(visit, now, peer, deliver, choose):
    choose(device_tests="observation", observation_system="urn:oid:1.2.3", device_test_code="14022")
    peer.answers(f"{FHIR}/Observation", status=201)
    store_test(visit, now)
    assert deliver() == 1
    sent = json.loads(peer.calls(f"{FHIR}/Observation")[0].body)
    assert sent["code"]["coding"][0]["code"] == "14022"


@pytest.mark.parametrize(("passed", "status"), [(True, "1"), (False, "2")])
def test_a_device_test_may_be_told_to_a_service_of_epic(visit, now, peer, deliver, choose, passed, status):
    choose(device_tests="service", device_test_service={"path": "/api/epic/2026/SetDeviceTest"})
    path = "/interconnect/api/epic/2026/SetDeviceTest"
    peer.answers(path)
    store_test(visit, now, passed=passed)
    assert deliver() == 1
    query = peer.calls(path)[0].query
    assert (query["ConferenceID"], query["ExternalIDType"], query["ConnectionStatus"]) == ("1853", "1", status)


def test_a_service_that_cannot_be_called_is_refused_when_it_is_read(visit, choose):
    choose(device_tests="service", device_test_service={"method": "DELETE"})
    with pytest.raises(ConfigurationError):
        approved_choices(approved_configuration(visit.endpoint))

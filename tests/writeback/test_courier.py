import json
import threading
import time
from datetime import timedelta

import psycopg
import pytest
import responses
from django.db import connection

from config_portal.models import FhirEndpoint
from config_portal.services.connections import approved_configuration
from core import jobs
from core.errors import OutcomeUnknown
from meetings.models import PresenceEvent
from tests import factories
from tests.writeback.conftest import STATUS_PATH, TOKEN_PATH, set_conference
from writeback import tasks
from writeback.models import WritebackEvent
from writeback.services import courier, messages

pytestmark = pytest.mark.django_db
Kind, State = PresenceEvent.Kind, WritebackEvent.State
_PAUSE = threading.Event()


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", lambda *_: None)


@pytest.fixture
def deliver(visit, now):
    """Deliver all that is due at a moment after ``now``; return how many calls were made."""

    def run(after=timedelta()):
        endpoint = FhirEndpoint.objects.get(pk=visit.endpoint_id)
        return courier.deliver(endpoint, clock=lambda: now + after)

    return run


@pytest.fixture
def connected(tell, provider):
    """The provider came into the visit."""
    return tell(provider, Kind.CONNECTED)


def fresh(row):
    return WritebackEvent.objects.get(pk=row.pk)


def test_an_accepted_row_keeps_what_the_timeline_shows(tell, provider, peer, deliver, now):
    peer.answers(STATUS_PATH)
    row = tell(provider, Kind.CONNECTED)
    assert deliver() == 1
    row = fresh(row)
    assert (row.state, row.http_status, row.attempts, row.error_code) == (State.ACCEPTED, 200, 1, "")
    assert row.finished_at == now
    assert row.response_ms is not None


def test_epic_gets_the_conference_and_the_user(tell, provider, peer, deliver):
    peer.answers(STATUS_PATH)
    tell(provider, Kind.CONNECTED)
    deliver()
    query = peer.calls(STATUS_PATH)[0].query
    assert (query["ConferenceID"], query["ExternalID"]) == ("1853", "AOKAFOR")
    assert (query["ExternalIDType"], query["ConnectionStatus"]) == ("2", "1")


def test_somebody_who_came_from_a_text_is_told_under_our_own_id(tell, add, peer, deliver):
    peer.answers(STATUS_PATH)
    patient = add("patient")
    tell(patient, Kind.CONNECTED)
    deliver()
    assert peer.calls(STATUS_PATH)[0].query["ExternalID"] == str(patient.pk)


def test_the_task_goes_on_until_nothing_is_due(tell, provider, add, peer):
    peer.answers(STATUS_PATH)
    for person in (provider, add("patient"), add("guest")):
        tell(person, Kind.CONNECTED)
        tell(person, Kind.DISCONNECTED)
    tasks.deliver(str(WritebackEvent.objects.first().endpoint_id))
    assert set(WritebackEvent.objects.values_list("state", flat=True)) == {State.ACCEPTED}
    assert len(peer.calls(TOKEN_PATH)) == 1
    by_person = [
        call.query["ConnectionStatus"]
        for call in peer.calls(STATUS_PATH)
        if call.query["ExternalID"] == provider.ehr_user_id
    ]
    assert by_person == ["1", "2"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_epic_is_asked_again_later(connected, peer, deliver, now, status):
    peer.answers(STATUS_PATH, status=status)
    peer.answers(STATUS_PATH, status=200)
    row = connected
    deliver()
    waiting = fresh(row)
    assert (waiting.state, waiting.http_status) == (State.PENDING, None)
    assert waiting.error_code == ("epic.throttled" if status == 429 else "epic.failing")
    assert timedelta(seconds=2) < waiting.due_at - now <= timedelta(seconds=5)
    assert deliver() == 0
    assert deliver(after=timedelta(seconds=6)) == 1
    assert (fresh(row).state, fresh(row).attempts) == (State.ACCEPTED, 2)


def test_later_news_waits_while_earlier_news_is_tried_again(tell, provider, peer, deliver):
    peer.answers(STATUS_PATH, status=500)
    tell(provider, Kind.CONNECTED)
    later = tell(provider, Kind.DISCONNECTED)
    deliver()
    assert deliver() == 0
    assert fresh(later).attempts == 0


@pytest.mark.parametrize(
    ("status", "code"), [(400, "epic.rejected"), (403, "epic.not_authorized"), (404, "epic.rejected")]
)
def test_a_refusal_is_final_and_says_which(tell, provider, peer, deliver, status, code):
    peer.answers(STATUS_PATH, status=status)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    row = fresh(row)
    assert (row.state, row.error_code, row.http_status) == (State.FAILED, code, status)
    assert row.finished_at is not None
    assert row.response_ms is not None
    assert deliver(after=timedelta(hours=1)) == 0


def test_the_status_is_right_after_a_refused_row(tell, provider, peer, deliver):
    peer.answers(STATUS_PATH, status=404)
    peer.answers(STATUS_PATH, status=200)
    tell(provider, Kind.CONNECTED)
    later = tell(provider, Kind.DISCONNECTED)
    deliver()
    deliver()
    assert fresh(later).state == State.ACCEPTED


def test_an_answer_that_never_came_is_asked_for_again(tell, provider, deliver, monkeypatch, now):
    def no_answer(*_, **__):
        raise OutcomeUnknown("epic.no_answer")

    monkeypatch.setattr(messages, "set_external_connection_status", no_answer)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.PENDING, "epic.no_answer")
    deliver(after=timedelta(hours=25))
    assert (fresh(row).state, fresh(row).error_code) == (State.UNKNOWN, "epic.no_answer")


def test_after_a_day_of_failures_a_row_stops(tell, provider, peer, deliver, now):
    peer.answers(STATUS_PATH, status=500)
    row = tell(provider, Kind.CONNECTED, at=now - timedelta(hours=24, seconds=1))
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.FAILED, "epic.failing")


def test_epic_may_ask_for_patience(tell, provider, deliver, visit, now):
    row = tell(provider, Kind.CONNECTED)
    base = visit.endpoint.base_url.partition("/api/FHIR")[0]
    with responses.RequestsMock() as fake:
        token = {"access_token": "at", "token_type": "bearer", "expires_in": 3600}
        fake.post(f"{base}/oauth2/token", json=token)
        fake.get(f"{base}{STATUS_PATH.removeprefix('/interconnect')}", status=429, headers={"Retry-After": "120"})
        deliver()
    assert fresh(row).due_at == now + timedelta(seconds=120)


def test_a_paused_endpoint_is_waited_for(tell, provider, peer, deliver, visit):
    peer.answers(STATUS_PATH)
    row = tell(provider, Kind.CONNECTED)
    visit.endpoint.is_paused = True
    visit.endpoint.save()
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.PENDING, "endpoint.paused")
    assert peer.received == []
    visit.endpoint.is_paused = False
    visit.endpoint.save()
    deliver(after=timedelta(minutes=1))
    assert fresh(row).state == State.ACCEPTED


def test_keys_that_epic_does_not_know_yet_are_waited_for(tell, provider, peer, deliver):
    peer.replace(TOKEN_PATH, {"error": "invalid_client"}, status=401)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.PENDING, "epic.invalid_client")


def test_how_epic_is_told_comes_from_the_approved_configuration(tell, provider, peer, deliver, visit):
    peer.answers(STATUS_PATH)
    visit.endpoint.connection_status = {"vendor_name": "LAMNA VIDEO"}
    visit.endpoint.save()
    tell(provider, Kind.CONNECTED)
    deliver()
    assert peer.calls(STATUS_PATH)[0].query["VendorName"] == "EHR connector"
    smart = approved_configuration(visit.endpoint).smart
    factories.approve(visit.endpoint, smart=smart)
    tell(provider, Kind.DISCONNECTED)
    deliver()
    assert peer.calls(STATUS_PATH)[1].query["VendorName"] == "LAMNA VIDEO"


def test_the_sweep_sends_what_waited_for_a_conference(tell, provider, visit, monkeypatch):
    woken = []
    monkeypatch.setattr("core.jobs.enqueue", lambda task, *args: woken.append((task.name, args)))
    set_conference(visit, None)
    row = tell(provider, Kind.CONNECTED)
    tasks.sweep()
    assert (fresh(row).state, woken) == (State.NOT_SENDABLE, [])
    set_conference(visit, "1853")
    tasks.sweep()
    assert (fresh(row).state, woken) == (State.PENDING, [("writeback.deliver", (str(visit.endpoint_id),))])


@pytest.mark.usefixtures("connected")
def test_no_identifier_reaches_the_log(visit, peer, deliver, capfd, caplog):
    set_conference(visit, "conference-of-lamna")  # some digits alone stand in times and numbers of threads too
    peer.answers(STATUS_PATH, status=404)
    deliver()
    logged = json.dumps([record.__dict__ for record in caplog.records], default=str) + "".join(capfd.readouterr())
    assert "outgoing call" in logged
    assert peer.calls(STATUS_PATH)[-1].query["ConferenceID"] == "conference-of-lamna"
    assert "conference-of-lamna" not in logged
    assert "AOKAFOR" not in logged


def test_what_may_be_claimed_is_one_query_however_many_wait(tell, add, now, django_assert_num_queries):
    for _ in range(6):
        person = add("patient")
        tell(person, Kind.CONNECTED)
        tell(person, Kind.DISCONNECTED)
    with django_assert_num_queries(1):
        assert len(WritebackEvent.objects.claimable(now)) == 6


def people_told(tell, add, count):
    return [tell(add("patient"), Kind.CONNECTED) for _ in range(count)]


def test_an_epic_that_is_away_is_asked_a_few_times_and_then_left_in_peace(tell, add, peer, deliver, choose):
    choose(most_at_once=1)
    peer.answers(STATUS_PATH, status=503)
    people_told(tell, add, 8)
    deliver()
    assert len(peer.calls(STATUS_PATH)) == 5
    assert deliver(after=timedelta(seconds=29)) == 0
    assert deliver(after=timedelta(seconds=31)) == 1


def test_when_it_is_back_one_call_finds_out_and_all_others_follow(tell, add, peer, deliver, choose):
    choose(most_at_once=1)
    peer.answers(STATUS_PATH, status=503)
    people_told(tell, add, 8)
    deliver()
    peer.replace(STATUS_PATH, {}, status=200)
    assert deliver(after=timedelta(seconds=31)) == 8
    assert set(WritebackEvent.objects.values_list("state", flat=True)) == {State.ACCEPTED}


def test_no_more_calls_are_open_at_once_than_the_hospital_allows(tell, add, deliver, choose, monkeypatch):
    choose(most_at_once=3)
    people_told(tell, add, 12)
    at_once, most, lock = [0], [0], threading.Lock()

    def slow(*_, **__):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        _PAUSE.wait(0.02)  # a call takes time: what is counted is how many are open meanwhile
        with lock:
            at_once[0] -= 1
        return 200

    monkeypatch.setattr(messages, "set_external_connection_status", slow)
    assert deliver() == 12
    assert most == [3]


def test_no_more_calls_begin_in_a_second_than_the_hospital_allows(tell, add, peer, deliver, choose):
    choose(most_a_second=10)
    peer.answers(STATUS_PATH)
    people_told(tell, add, 6)
    started = time.monotonic()
    assert deliver() == 6
    assert time.monotonic() - started > 0.45


def test_a_second_courier_leaves_the_work_to_the_first(tell, provider, visit, now):
    tell(provider, Kind.CONNECTED)
    number = int.from_bytes(visit.endpoint_id.bytes[:8], signed=True)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [number])
        assert courier.deliver(visit.endpoint, clock=lambda: now) is None
        other.execute("SELECT pg_advisory_unlock(%s)", [number])
    assert courier.deliver(visit.endpoint, clock=lambda: now) == 1


def test_a_row_that_cannot_be_read_stops_and_the_others_go_on(tell, provider, add, peer, deliver, visit):
    peer.answers(STATUS_PATH)
    row = tell(provider, Kind.CONNECTED)
    other = tell(add("patient"), Kind.CONNECTED)
    with connection.cursor() as cursor:  # somebody swapped ciphertexts
        cursor.execute("UPDATE meetings_participant SET ehr_user_id = '\\x0101ff' WHERE id = %s", [provider.pk])
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.FAILED, "writeback.unreadable")
    assert fresh(other).state == State.ACCEPTED


def test_a_defect_of_ours_stops_one_row_and_is_logged(tell, provider, deliver, monkeypatch, caplog):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(messages, "set_external_connection_status", broken)
    row = tell(provider, Kind.CONNECTED)
    deliver()
    assert (fresh(row).state, fresh(row).error_code) == (State.FAILED, "writeback.defect")
    assert "write-back could not be made" in caplog.text


def test_epic_and_the_log_get_the_id_of_the_launch(tell, add, peer, deliver):
    peer.answers(STATUS_PATH)
    row = tell(add("patient", request_id="launch-0123456789"), Kind.CONNECTED)
    deliver()
    assert peer.calls(STATUS_PATH)[0].headers["X-Request-Id"] == "launch-0123456789"
    assert fresh(row).request_id == "launch-0123456789"


@pytest.mark.django_db(transaction=True)
def test_many_changes_wake_one_worker(tell, provider, redis_client, monkeypatch, peer, visit):
    monkeypatch.setattr("writeback.receivers.wake_after_commit", jobs.wake_after_commit)
    peer.answers(STATUS_PATH)
    for kind in (Kind.CONNECTED, Kind.DISCONNECTED, Kind.CONNECTED):
        tell(provider, kind)
    assert redis_client.llen("writeback") == 1
    tasks.deliver(str(visit.endpoint_id))
    tell(provider, Kind.DISCONNECTED)
    assert redis_client.llen("writeback") == 2  # it had said that it sleeps


@pytest.mark.django_db(transaction=True)
def test_what_was_committed_while_the_courier_went_to_sleep_is_delivered_too(tell, provider, peer, visit, monkeypatch):
    peer.answers(STATUS_PATH)
    tell(provider, Kind.CONNECTED)
    woken = []
    monkeypatch.setattr("core.jobs.enqueue", lambda task, *args: woken.append((task.name, args)))
    monkeypatch.setattr("core.jobs.go_to_sleep", lambda *_: tell(provider, Kind.DISCONNECTED))
    tasks.deliver(str(visit.endpoint_id))
    assert woken == [("writeback.deliver", (str(visit.endpoint_id),))]

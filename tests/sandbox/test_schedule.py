import queue
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def post(twin):
    def send(path: str, **body: object) -> requests.Response:
        return twin.http.post(f"{twin.url}/control/{path}", json=body, timeout=30)

    return send


def test_an_answer_that_epic_misses_makes_it_send_the_same_again(twin, engine, post):
    twin.put_faults({"hl7.ack": "lost"})
    booked = post("visits").json()
    assert booked["ack"] is None
    assert booked["error"]
    assert len(twin.entries("hl7", "acked", key=booked["csn"])) == 1
    twin.put_faults()
    assert [engine.take().first("MSH").text(10) for _ in range(2)] == [booked["control_id"]] * 2
    with pytest.raises(queue.Empty):
        engine.messages.get(timeout=1.5)


def test_an_answer_about_another_message_is_no_answer(twin, engine, post):
    engine.answers = ["AA|another"]
    booked = post("visits").json()
    assert booked["ack"] is None
    (unanswered,) = twin.entries("hl7", "unanswered", key=booked["csn"])
    assert "another" in unanswered["data"]["reason"]
    assert [engine.take().first("MSH").text(10) for _ in range(2)] == [booked["control_id"]] * 2


def test_a_visit_that_is_over_changes_no_more(twin, engine, post):
    csn = post("visits").json()["csn"]
    assert post(f"visits/{csn}/cancel").json()["ack"]["code"] == "AA"
    for act in ("cancel", "move", "no_show"):
        answer = post(f"visits/{csn}/{act}")
        assert (answer.status_code, answer.json()["error"]) == (409, f"visit {csn}: cancelled")
    assert [entry["data"]["trigger"] for entry in twin.entries("hl7", "sent", key=csn)] == ["S12", "S15"]


def test_of_many_who_cancel_at_once_one_does(engine, post):
    csn = post("visits").json()["csn"]
    with ThreadPoolExecutor(6) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: post(f"visits/{csn}/cancel"), range(6))]
    assert sorted(statuses) == [200, 409, 409, 409, 409, 409]


def test_a_group_shares_one_conference_and_every_patient_has_an_appointment_of_their_own(twin, engine, post):
    booked = post("visits", patients=["rivera", "nguyen", "larsen"]).json()["appointments"]
    assert len({visit["csn"] for visit in booked}) == 3
    assert len({visit["conference_id"] for visit in booked}) == 1
    sent = [engine.take() for _ in range(3)]
    assert [message.first("SCH").text(2) for message in sent] == [visit["csn"] for visit in booked]
    assert {message.first("SCH").text(8).partition("^")[0] for message in sent} == {"VGRP60"}
    assert len({message.first("PID").text(3) for message in sent}) == 3


@pytest.mark.parametrize("patients", [[], ["rivera"], ["rivera", "rivera"], ["rivera", "nobody"]])
def test_a_group_of_fewer_than_two_known_patients_is_not_booked(engine, post, patients):
    assert post("visits", patients=patients).status_code == 400


def test_visits_booked_at_the_same_time_are_different_ones(twin, engine, post):
    with ThreadPoolExecutor(8) as pool:
        booked = [answer.json() for answer in pool.map(lambda _: post("visits"), range(8))]
    # Not the answers' own "ack": on a busy machine the eighth may have to go out after its answer was due.
    acknowledged = [twin.entries("hl7", "acked", key=visit["csn"], wait=60) for visit in booked]
    assert [[entry["data"]["code"] for entry in entries] for entries in acknowledged] == [["AA"]] * 8
    for name in ("csn", "conference_id", "control_id"):
        assert len({visit[name] for visit in booked}) == 8


def test_a_move_says_when_the_visit_is_now(engine, post):
    csn = post("visits").json()["csn"]
    moved = post(f"visits/{csn}/move", starts_at="2026-11-30T09:00:00-06:00").json()
    assert moved["starts_at"] == "2026-11-30T15:00:00+00:00"


def test_a_visit_that_another_provider_takes_over_is_announced_as_modified(twin, engine, post):
    csn = post("visits").json()["csn"]
    before = engine.take().first("PV1").text(7)
    assert post(f"visits/{csn}/hand_over").json()["ack"]["code"] == "AA"
    message = engine.take()
    assert message.first("MSH").text(9, component=2) == "S14"
    assert message.first("AIP").text(3) == message.first("PV1").text(7) != before


def test_an_act_that_is_none_is_explained(engine, post):
    csn = post("visits").json()["csn"]
    assert post(f"visits/{csn}/postpone").json()["error"] == "acts: move, hand_over, cancel, no_show"


def test_every_launch_has_a_token_of_its_own(epic):
    csn = epic.twin.schedule()["csn"]
    first, second = (epic.twin.launch(csn, "provider") for _ in range(2))
    assert first["iss"] == second["iss"] == epic.twin.fhir_base_url
    assert first["launch"] != second["launch"]
    assert len(first["launch"]) > 255


def test_a_relative_launches_from_the_patients_record(epic, post):
    csn = epic.twin.schedule()["csn"]
    patient, proxy = (post(f"visits/{csn}/launch", audience=who).json()["url"] for who in ("patient", "proxy"))
    assert urlsplit(patient).path == urlsplit(proxy).path
    assert parse_qs(urlsplit(proxy).query)["launch"]


def test_nobody_launches_without_a_record_or_as_somebody_unheard_of(epic, post):
    csn = post("visits", environment="production").json()["csn"]
    assert "no provider record in production" in post(f"visits/{csn}/launch", audience="provider").json()["error"]
    assert post(f"visits/{csn}/launch", audience="visitor").status_code == 400

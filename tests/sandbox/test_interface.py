"""Epic's outgoing interface: what it sends, over mutual TLS, and that it insists until it is answered."""

import queue
import threading

import pytest
import requests

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def call(sandbox):
    def post(path: str, **body):
        answer = requests.post(f"{sandbox.url}/control/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    return post


def test_a_booking_is_sent_as_epic_sends_it(engine, call):
    booked = call("visits", patient="rivera", provider="okafor", starts_at="2026-09-21T19:00:00+00:00", minutes=30)
    message = engine.take()
    header, schedule = message.first("MSH"), message.first("SCH")
    assert header.text(9) == "SIU"
    assert header.text(9, component=2) == "S12"
    assert header.text(12) == "2.3"
    assert schedule.text(2) == message.first("PV1").text(19) == booked["csn"]
    assert schedule.text(11, component=4) == "20260921140000"  # local, without an offset
    assert (schedule.text(9), schedule.text(10), schedule.text(25)) == ("30", "MIN", "1")
    phones = message.first("PID").repetitions(13)
    assert [phone.text(3) for phone in phones][:2] == ["PH", "CP"]
    assert booked["ack"]["code"] == "AA"


def test_what_is_not_answered_is_sent_again_under_the_same_control_id(engine, call):
    engine.answers = ["", "AE"]
    booked = call("visits", patient="nguyen")
    assert booked["ack"] is None
    ids = [engine.take().first("MSH").text(10) for _ in range(3)]
    assert ids == [booked["control_id"]] * 3


def test_changes_of_a_visit_never_overtake_its_booking(engine, call):
    engine.answers = [""]
    booked = call("visits", patient="nguyen")
    for act in ("move", "cancel"):
        call(f"visits/{booked['csn']}/{act}", starts_in_minutes=90)
    triggers = [engine.take().first("MSH").text(9, component=2) for _ in range(4)]
    assert triggers == ["S12", "S12", "S13", "S15"]


def test_a_refusal_is_not_repeated(engine, call):
    engine.answers = ["AR"]
    assert call("visits", patient="nguyen")["ack"]["code"] == "AR"
    engine.take()
    with pytest.raises(queue.Empty):
        engine.messages.get(timeout=1.5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("visits", {"patient": "somebody"}),
        ("visits", {"environment": "moon"}),
        ("visits", {"starts_at": "2026-09-21T14:00:00"}),
        ("visits", {"starts_at": "soon"}),
        ("visits", {"minutes": "many"}),
    ],
)
def test_what_cannot_be_done_is_explained(sandbox, path, body):
    answer = requests.post(f"{sandbox.url}/control/{path}", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_visit_that_is_none_is_not_found(sandbox):
    answer = requests.post(f"{sandbox.url}/control/visits/0/launch", json={"audience": "provider"}, timeout=10)
    assert answer.status_code == 404


def test_the_ledger_answers_as_soon_as_something_happens(sandbox, engine, call):
    last = requests.get(f"{sandbox.url}/ledger.json", params={"after": 2**60}, timeout=10).json()["last"]
    query = {"after": last, "system": "hl7", "kind": "acked", "wait": 20}
    found = queue.Queue()
    threading.Thread(
        target=lambda: found.put(requests.get(f"{sandbox.url}/ledger.json", params=query, timeout=30).json())
    ).start()
    booked = call("visits", patient="rivera")
    (entry,) = found.get(timeout=10)["entries"]
    assert (entry["key"], entry["data"]["code"]) == (booked["csn"], "AA")


@pytest.mark.parametrize("page", ["", "schedule/", "mychart/", "phones/", "rooms/", "faults/", "ledger/", "healthz"])
def test_every_page_of_the_twin_opens(sandbox, page):
    answer = requests.get(f"{sandbox.url}/{page}", timeout=10)
    assert answer.status_code == 200
    assert page == "healthz" or "SANDBOX" in answer.text

import pytest

from tests.sandbox.twin import ACS_NUMBER, fresh_phone

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def phone(twin, listener) -> str:
    """A phone that got one text."""
    phone = fresh_phone()
    text = "Join: https://visits.lamna.example.org/j/abc?l=es. <b>Bold</b>"
    body = {"from": ACS_NUMBER, "message": text, "smsRecipients": [{"to": phone}]}
    twin.acs("POST", "/sms?api-version=2026-01-23", {**body, "smsSendOptions": {"enableDeliveryReport": True}})
    listener.take(about=phone[1:])
    return phone


def test_the_wall_shows_texts_with_links_and_escapes_the_rest(twin, phone):
    wall = twin.http.get(f"{twin.url}/phones/", timeout=10).text

    assert phone in wall
    assert 'href="https://visits.lamna.example.org/j/abc?l=es" target="_blank" rel="noopener"' in wall
    assert "<b>Bold</b>" not in wall


def test_answering_on_the_page_reaches_the_customer(twin, listener, phone):
    twin.http.post(f"{twin.url}/phones/{phone}/reply/", data={"text": "On my way", "back": "phone"}, timeout=10)

    assert listener.take(about=phone[1:]).json[0]["data"]["message"] == "On my way"
    assert "On my way" in twin.http.get(f"{twin.url}/phones/{phone}/", timeout=10).text
    [entry] = twin.entries("phone", "replied", key=phone)
    assert entry["data"] == {"to": ACS_NUMBER, "text": "On my way"}


def test_a_phone_nobody_texted_cannot_answer(twin):
    assert twin.reply(fresh_phone(), "Hello?").status_code == 409


def test_the_control_interface_refuses_what_is_no_answer(twin, phone):
    answer = twin.http.post(f"{twin.url}/control/phones/{phone}/reply", data="Hello", timeout=10)

    assert answer.status_code == 400

"""The device test: what the page asks, what the server measures with it, and what is kept."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from launch.models import DeviceTest, LaunchAttempt
from launch.services import device_tests
from launch.signals import device_tested
from meetings.models import Participant
from tests.factories import approve, make_contact, make_visit
from tests.launch.pages import code_of, form_token, heading
from tests.meetings.rows import make_meeting
from visits.models import PatientContact
from visits.services.links import ensure_link, token_of
from writeback.models import WritebackConfiguration, WritebackEvent

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
FINE = dict.fromkeys(DeviceTest.CHECKS, "passed")


@pytest.fixture
def send(patient):
    """Send a test from the patient's page."""
    token = form_token(patient.get("/visit/check", secure=True))

    def post(**values):
        given = {**FINE, "token": token, **values}
        return patient.post("/visit/check/result", given, secure=True, headers={"user-agent": IPHONE})

    return post


def test_a_test_is_stored_in_numbers_and_announced(send, attempt, visit):
    heard = []
    receiver = lambda test, **_: heard.append(test)  # noqa: E731 - signals hold functions weakly
    device_tested.connect(receiver)
    assert send(camera="refused", call="skipped", rtt_ms="41.26", down_kbps="8000", up_kbps="2100.5").status_code == 204
    test = DeviceTest.objects.get()
    assert heard == [test]
    assert (test.visit, test.attempt) == (visit, attempt)
    assert test.results == {**FINE, "camera": "refused", "call": "skipped"}
    assert test.troubles == ["camera"]
    assert test.measures == {"rtt_ms": 41.3, "down_kbps": 8000, "up_kbps": 2100.5}
    assert (test.browser, test.platform) == ("safari", "ios")


@pytest.mark.parametrize(
    "values",
    [
        {"camera": "fine"},
        {"camera": ""},
        {"rtt_ms": "-1"},
        {"rtt_ms": "nan"},
        {"down_kbps": "1e300"},
        {"jitter_ms": "<b>"},
    ],
)
def test_what_is_no_test_is_not_stored(send, values):
    assert send(**values).status_code == 400
    assert not DeviceTest.objects.exists()


def test_a_page_sends_no_more_tests_than_people_do(send, monkeypatch):
    monkeypatch.setattr(device_tests, "MOST_TESTS", 2)
    assert [send().status_code for _ in range(3)] == [204, 204, 429]
    assert DeviceTest.objects.count() == 2


def test_the_samples_are_bounded_and_never_cached(patient, monkeypatch):
    empty = patient.get("/visit/check/sample?empty", secure=True)
    full = patient.get("/visit/check/sample", secure=True)
    assert (len(empty.content), len(full.content)) == (0, 400_000)
    assert full["Cache-Control"] == "no-store"
    monkeypatch.setattr(device_tests, "MOST_TRANSFERS_IN_A_MINUTE", 3)
    token = form_token(patient.get("/visit/check", secure=True))
    upload = {"token": token, "ballast": "ab" * 100_000}
    assert [patient.post("/visit/check/upload", upload, secure=True).status_code for _ in range(2)] == [204, 429]
    assert patient.get("/visit/check/sample", secure=True).status_code == 429


def test_nothing_is_measured_while_redis_is_away(patient, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert patient.get("/visit/check/sample", secure=True).status_code == 503


@pytest.mark.parametrize("path", ["sample", "upload", "result"])
def test_nobody_else_measures_or_stores(client, path, db):
    method = client.get if path == "sample" else client.post
    assert method(f"/visit/check/{path}", secure=True).status_code == 403
    assert code_of(client.get("/visit/check", secure=True)) == "visit.no_cookie"


def test_a_page_of_another_visit_stores_nothing(send):
    assert send(token="made-up").status_code == 403
    assert not DeviceTest.objects.exists()


def test_the_page_alone_may_ask_for_camera_and_microphone(patient, address):
    for path in ("/visit/check", "/visit"):
        policy = patient.get(path, secure=True)["Permissions-Policy"]
        assert "camera=(self)" in policy
        assert "microphone=(self)" in policy
    assert "camera=()" in patient.get(address, secure=True)["Permissions-Policy"]


class TestWhenItIsDue:
    """After the link: only when it may find something out."""

    @pytest.fixture
    def open_link(self, address):
        return lambda agent=IPHONE: Client(headers={"user-agent": agent}).post(address, secure=True).url

    def test_not_again_when_everything_worked_in_this_browser(self, send, open_link):
        send()
        assert open_link() == "/visit"
        assert open_link(ANDROID) == "/visit/check"

    def test_again_after_two_weeks(self, send, open_link):
        send()
        DeviceTest.objects.update(created_at=timezone.now() - timedelta(days=15))
        assert open_link() == "/visit/check"

    def test_only_what_did_not_work_is_asked_again(self, send, open_link, address):
        send(microphone="failed", connection="poor")
        browser = Client(headers={"user-agent": IPHONE})
        assert browser.post(address, secure=True).url == "/visit/check"
        assert 'data-known="camera speaker"' in browser.get("/visit/check", secure=True).content.decode()
        assert 'data-known=""' in browser.get("/visit/check?all", secure=True).content.decode()

    def test_another_visit_of_the_patient_remembers_it_and_another_patients_does_not(self, send, endpoint):
        send()
        later = make_visit(endpoint, session_id="482200999", starts_at=timezone.now() + timedelta(minutes=5))
        contact = make_contact(later)
        PatientContact.objects.filter(pk=contact.pk).update(person_index=PatientContact.objects.first().person_index)
        link = f"/j/{token_of(ensure_link(contact))}"
        assert Client(headers={"user-agent": IPHONE}).post(link, secure=True).url == "/visit"
        PatientContact.objects.filter(pk=contact.pk).update(person_index="somebody else")
        assert Client(headers={"user-agent": IPHONE}).post(link, secure=True).url == "/visit/check"

    def test_not_while_the_care_team_is_waiting(self, visit, open_link):
        meeting = make_meeting(visit)
        Participant.objects.create(
            organization=meeting.organization, meeting=meeting, ordinal=1, role="provider", state="connected",
            state_at=timezone.now(), created_at=timezone.now(),
        )  # fmt: skip
        assert open_link() == "/visit"


def test_days_before_the_visit_the_device_can_be_tested_and_nothing_else(endpoint):
    visit = make_visit(endpoint, starts_at=timezone.now() + timedelta(days=3))
    address = f"/j/{token_of(ensure_link(make_contact(visit)))}"
    browser = Client()
    too_early = browser.post(address, secure=True)
    assert 'name="only_test"' in too_early.content.decode()
    assert browser.post(address, {"only_test": "1"}, secure=True).url == "/visit/check"
    page = browser.get("/visit/check", secure=True).content.decode()
    assert "You can close this page" in page
    assert "Go to my visit" not in page
    assert heading(browser.get("/visit", secure=True)) == "Your visit is not open yet"
    assert LaunchAttempt.objects.get().state == LaunchAttempt.State.CHECKING


def test_who_tested_early_arrives_by_opening_the_waiting_page(patient, attempt):
    LaunchAttempt.objects.update(state=LaunchAttempt.State.CHECKING)
    assert heading(patient.get("/visit", secure=True)) == "You are checked in"
    attempt.refresh_from_db()
    assert attempt.state == LaunchAttempt.State.ARRIVED


def test_by_whom_a_test_was_made_is_forgotten(send):
    send()
    now = timezone.now()
    assert device_tests.forget(now=now) == 0
    assert device_tests.forget(now=now + timedelta(days=15)) == 1
    assert DeviceTest.objects.get().person_index == ""


@pytest.mark.parametrize(
    ("user_agent", "family", "help_words"),
    [
        (IPHONE, ("safari", "ios"), "Website Settings"),
        (ANDROID, ("chrome", "android"), "Permissions"),
        (f"{IPHONE} [FBAN/FBIOS]", ("app", "ios"), "inside another app"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", ("firefox", "linux"), "crossed-out"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
         ("edge", "windows"), "Click the sign to the left"),
        ("", ("other", "other"), "Click the sign to the left"),
    ],
)  # fmt: skip
def test_help_is_about_this_very_browser(patient, user_agent, family, help_words):
    assert device_tests.family_of(user_agent) == family
    page = patient.get("/visit/check", secure=True, headers={"user-agent": user_agent}).content.decode()
    assert help_words in page


class TestTheOneQuestion:
    """After the visit, and answered once."""

    def test_is_asked_answered_and_not_asked_again(self, patient, visit):
        page = patient.get("/visit/end", secure=True)
        assert "Did picture and sound work well?" in page.content.decode()
        answer = {"token": form_token(page), "answer": "bad"}
        assert patient.post("/visit/rating", answer, secure=True).url == "/visit/end"
        assert not visit.ratings.get().is_good
        assert "Thank you for your answer." in patient.get("/visit/end", secure=True).content.decode()
        patient.post("/visit/rating", {**answer, "answer": "good"}, secure=True)
        assert visit.ratings.get().is_good

    def test_takes_no_other_answer(self, patient, visit):
        token = form_token(patient.get("/visit/end", secure=True))
        patient.post("/visit/rating", {"token": token, "answer": "perhaps"}, secure=True)
        assert not visit.ratings.exists()


def test_a_result_is_stored_for_epic_where_the_hospital_wants_it_there(send, visit):
    WritebackConfiguration.objects.create(endpoint=visit.endpoint, device_tests="communication")
    approve(visit.endpoint)
    send(camera="refused", speaker="skipped")
    row = WritebackEvent.objects.get()
    assert (row.device_test_id, row.kind, row.visit) == (DeviceTest.objects.get().pk, "device_test", visit)
    assert row.result == {
        "passed": False,
        "parts": {"connection": "passed", "camera": "refused", "microphone": "passed", "call": "passed"},
    }


def test_a_result_stays_here_by_default(send):
    send()
    assert not WritebackEvent.objects.exists()


class TestFromMyChart:
    """The hardware test that MyChart offers before a visit."""

    def test_leads_to_the_test_and_not_into_the_visit(self, launch, visit):
        begun = launch("patient")
        page = begun.finish(sub="Patient/eX.rivera", session_id=visit.session_id, deviceTest="yes")
        assert page.url == "/visit/check"
        assert LaunchAttempt.objects.get().state == LaunchAttempt.State.CHECKING
        assert begun.browser.get("/visit/check", secure=True).status_code == 200

    def test_is_possible_days_before_and_the_visit_stays_closed(self, launch, endpoint):
        visit = make_visit(endpoint, starts_at=timezone.now() + timedelta(days=3))
        begun = launch("patient")
        assert (
            begun.finish(sub="Patient/eX.rivera", session_id=visit.session_id, deviceTest="YES").url == "/visit/check"
        )
        assert begun.browser.get("/visit", secure=True).status_code == 409

    def test_a_providers_record_with_the_mark_opens_the_visit_all_the_same(self, launch, visit, graph):
        assert launch().finish(session_id=visit.session_id, deviceTest="yes").url == "/launch/visit"

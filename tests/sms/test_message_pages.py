"""The Messages pages: the truth about texts, and what staff may do about it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from core.models import AuditEvent
from sms.models import OptOut, PhoneNumber, SmsConfiguration, SmsMessage, SupplierHealth
from sms.services import drafts, opt_outs
from sms.services.truth import OUTCOMES
from tests.factories import make_endpoint, make_organization, make_staff, make_visit

pytestmark = pytest.mark.django_db
TEXTS = reverse("messages:texts")
SENDING = reverse("messages:sending")
State = SmsMessage.State
NOW = timezone.now()


@pytest.fixture
def visit():
    return make_visit(make_endpoint(), starts_at=NOW + timedelta(days=3))


@pytest.fixture
def confirmation(visit):
    return SmsMessage.objects.get(kind="scheduled")


@pytest.fixture
def support(client, visit):
    client.force_login(make_staff(visit.organization, Role.SUPPORT))
    return client


@pytest.fixture
def admin(client, visit):
    client.force_login(make_staff(visit.organization, Role.ADMIN))
    return client


def become(text, state, **values):
    number = PhoneNumber.objects.get()
    values = {
        "number": number,
        "supplier": "acs",
        "number_ending": "77",
        "first_sent_at": NOW,
        "accepted_at": NOW,
        "finished_at": NOW,
        "segments": 2,
        **values,
    }
    SmsMessage.objects.filter(pk=text.pk).update(state=state, **values)
    text.refresh_from_db()
    return text


def page(client, url=TEXTS, **query):
    return client.get(url, query).content.decode()


@pytest.mark.parametrize(
    ("state", "values", "outcome", "why"),
    [
        (State.DELIVERED, {"delivered_at": NOW + timedelta(seconds=3)}, "Delivered", "3 s"),
        (State.ACCEPTED, {}, "Accepted", ""),
        (
            State.UNDELIVERED,
            {"report_status": "unreachable", "supplier_code": "4006"},
            "Not delivered",
            "Unreachable (4006)",
        ),
        (State.FAILED, {"error_code": "acs.recipient_rejected", "report_status": "invalid_number"}, "Not delivered",
         "Invalid number"),
        (State.UNKNOWN, {"error_code": "acs.no_answer"}, "Unknown", "acs.no_answer"),
        (State.SUPPRESSED, {"error_code": "sms.opted_out"}, "Not sent", "The patient replied STOP"),
        (State.WITHDRAWN, {"error_code": "sms.visit_changed"}, "Not sent", "moved or cancelled first"),
        (State.PENDING, {"error_code": "sms.quiet_hours"}, "Waiting", "Quiet hours"),
    ],
)  # fmt: skip
def test_each_text_says_what_became_of_it_and_why(support, confirmation, state, values, outcome, why):
    become(confirmation, state, **values)
    shown = page(support)
    assert outcome in shown
    assert why in shown


def test_every_state_belongs_to_exactly_one_outcome():
    states = [state for group in OUTCOMES.values() for state in group]
    assert sorted(states) == sorted(State.values)


def test_the_figures_count_each_text_once_and_lead_to_it(support, confirmation):
    become(confirmation, State.UNDELIVERED)
    assert page(support, outcome="undelivered").count('<th scope="row"') == 1
    assert page(support, outcome="delivered").count('<th scope="row"') == 0
    assert page(support, outcome="waiting").count('<th scope="row"') == 0
    assert page(support, days="ahead").count('<th scope="row"') == 2, "the reminders"


def test_nonsense_in_the_address_shows_the_usual(support, confirmation):
    assert support.get(TEXTS, {"days": "x", "endpoint": "1", "outcome": "y", "page": "z"}).status_code == 200


def test_a_long_list_has_pages(support, confirmation):
    for copy in range(1, 60):
        SmsMessage.objects.create(
            organization=confirmation.organization, visit=confirmation.visit, contact=confirmation.contact,
            kind="scheduled", visit_version=1, contact_revision=1, copy=copy, due_at=NOW, expires_at=NOW,
        )  # fmt: skip
    assert "Page 1 of 2" in page(support)
    assert "Page 2 of 2" in page(support, page="2")


def test_the_list_needs_the_same_few_queries_however_long_it_is(support, confirmation, django_assert_max_num_queries):
    for number in range(20):
        visit = make_visit(confirmation.visit.endpoint, session_id=f"48220{number:04}")
        assert visit.sms_messages.exists()
    with django_assert_max_num_queries(12):
        page(support)


def test_a_phone_is_never_shown_beyond_two_digits(support, confirmation):
    become(confirmation, State.DELIVERED)
    for url in (TEXTS, reverse("messages:text", args=[confirmation.pk])):
        shown = page(support, url)
        assert "number ending 77" in shown
        assert "5550177" not in shown


# --- One text ---
def test_a_text_tells_its_history(support, confirmation):
    become(confirmation, State.UNDELIVERED)
    confirmation.delivery_events.create(supplier="acs", event_id="e-1", state="undelivered", code="4006", at=NOW)
    shown = page(support, reverse("messages:text", args=[confirmation.pk]))
    for words in ("Planned", "Given to the supplier", "Not delivered", "4006"):
        assert words in shown


def test_sending_again_needs_a_reason_and_makes_a_copy_with_it(support, confirmation):
    become(confirmation, State.UNDELIVERED)
    url = reverse("messages:resend", args=[confirmation.pk])
    assert "Say why it is sent again" in support.post(url, {"reason": ""}).content.decode()
    for _ in range(2):  # a double click
        assert support.post(url, {"reason": "Patient called"}).status_code == 302
    copy = SmsMessage.objects.get(copy=1)
    assert (copy.state, copy.resend_reason, copy.kind) == (State.PENDING, "Patient called", "scheduled")
    assert copy.due_at <= timezone.now()
    event = AuditEvent.objects.get(action="sms.resent")
    assert (event.actor, event.data["reason"]) == ("avery.reed@lamna.example.org", "Patient called")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: become(text, State.PENDING), "still on its way"),
        (lambda text: become(text, State.UNDELIVERED, visit_version=99), "changed after this text"),
        (lambda text: become(text, State.SUPPRESSED, error_code="sms.opted_out"), "replied STOP"),
        (lambda text: type(text.contact).objects.update(phone=None) and become(text, State.UNDELIVERED), "erased"),
        (lambda text: become(text, State.UNDELIVERED, copy=3), "Call the patient"),
    ],
)
def test_what_must_not_go_out_again_says_why(support, confirmation, change, why):
    change(confirmation)
    assert why in page(support, reverse("messages:text", args=[confirmation.pk]))
    support.post(reverse("messages:resend", args=[confirmation.pk]), {"reason": "Patient called"})
    assert not SmsMessage.objects.exclude(resend_reason="").exists()


def test_staff_record_that_a_patient_wants_no_texts(support, confirmation):
    support.post(reverse("messages:stop", args=[confirmation.pk]))
    row = OptOut.objects.get()
    assert (row.source, row.ended_at) == ("staff", None)
    index = opt_outs.index_of(confirmation.organization_id, confirmation.contact.phone)
    assert row.phone_index == index
    assert AuditEvent.objects.get(action="sms.opted_out_by_staff").actor == "avery.reed@lamna.example.org"
    assert "Your staff recorded it" in page(support, reverse("messages:opt_outs"))


def test_an_analyst_sees_texts_and_sends_none(client, confirmation):
    client.force_login(make_staff(confirmation.organization, Role.ANALYST))
    assert client.get(TEXTS).status_code == 200
    assert client.post(reverse("messages:resend", args=[confirmation.pk]), {"reason": "x"}).status_code == 403


# --- Numbers ---
def test_a_number_shows_how_it_did_and_what_holds_it_up(support, confirmation):
    become(confirmation, State.DELIVERED, delivered_at=NOW + timedelta(seconds=4))
    url = reverse("messages:numbers")
    shown = page(support, url)
    assert "1 of 1 (100%)" in shown
    assert "4 s" in shown
    SupplierHealth.objects.create(key="acs", supplier="acs", opened_at=NOW, reason="sms.supplier_failing")
    shown = page(support, url)
    assert "Held back" in shown
    assert "keeps failing" in shown


# --- Pause and share ---
def test_anybody_of_the_staff_pauses_at_once_and_not_everybody_resumes(support, visit):
    support.post(reverse("messages:pause", args=[visit.endpoint_id]))
    assert SmsConfiguration.objects.get().is_paused
    assert AuditEvent.objects.get(action="sms.paused").actor == "avery.reed@lamna.example.org"
    assert support.post(reverse("messages:unpause", args=[visit.endpoint_id])).status_code == 403
    assert "Paused" in page(support, SENDING)


def test_an_administrator_lets_texts_go_out_again(admin, visit):
    SmsConfiguration.objects.update(is_paused=True)
    admin.post(reverse("messages:unpause", args=[visit.endpoint_id]))
    assert not SmsConfiguration.objects.get().is_paused


def test_a_careful_start_takes_one_percent_first(admin, visit):
    field = f"{visit.endpoint_id}-percent"
    admin.post(reverse("messages:share", args=[visit.endpoint_id]), {field: "1"})
    assert SmsConfiguration.objects.get().released_percent == 1
    assert "Sending to 1% of visits" in page(admin, SENDING)
    admin.post(reverse("messages:share", args=[visit.endpoint_id]), {field: "42"})
    assert SmsConfiguration.objects.get().released_percent == 1


def test_pause_and_share_need_no_approval(admin, visit):
    admin.post(reverse("messages:pause", args=[visit.endpoint_id]))
    assert not drafts.needs_approval(visit.endpoint)


def test_nothing_of_another_organization_is_found(support):
    stranger = make_visit(make_endpoint(make_organization(slug="tailspin"), with_sms=True), session_id="999000111")
    theirs = SmsMessage.objects.filter(visit=stranger).first()
    assert "999000111" not in page(support)
    for name, key in (("text", theirs.pk), ("resend", theirs.pk), ("stop", theirs.pk)):
        answer = support.get(reverse(f"messages:{name}", args=[key])) if name == "text" else support.post(
            reverse(f"messages:{name}", args=[key]), {"reason": "x"}
        )  # fmt: skip
        assert answer.status_code == 404
    assert support.post(reverse("messages:pause", args=[stranger.endpoint_id])).status_code == 404

"""Texts are sent through the real adapters over a real socket; only the supplier's answers are played."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config_portal.models import FhirEndpoint, Organization
from sms.models import OptOut, PhoneNumber, SmsConfiguration, SmsMessage, SupplierHealth
from sms.services import consents, opt_outs, sending
from tests.factories import approve, make_visit
from tests.sms.supplier import Answer, accepted_by_acs
from visits.models import Visit

pytestmark = pytest.mark.django_db
State = SmsMessage.State


def deliver(at=None):
    sending.deliver_due(now=at or timezone.now())
    return SmsMessage.objects.get()


def test_a_due_text_is_accepted_and_knows_the_suppliers_id(acs, confirmation):
    text = deliver()
    assert (text.state, text.supplier_message_id, text.segments) == (State.ACCEPTED, "m-1", 2)
    assert text.number_ending == "77"
    assert text.number.number == "+18335550142"
    assert text.lease_until is None


def test_what_goes_out_carries_our_key_and_a_link_and_no_name(acs, confirmation):
    deliver()
    (call,) = acs.calls
    assert call.recipient["to"] == "+16085550177"
    assert call.recipient["repeatabilityRequestId"] == str(confirmation.pk)
    assert "/j/" in call.json["message"]
    assert "RIVERA" not in call.json["message"].upper()


def test_a_text_is_never_claimed_before_it_is_due(acs):
    make_visit(starts_at=timezone.now() + timedelta(days=3))
    SmsMessage.objects.filter(kind="scheduled").delete()
    assert sending.deliver_due(now=timezone.now()) == 0
    assert acs.calls == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_supplier_is_asked_again_later(acs, confirmation, status):
    acs.plan = [Answer(status, headers={"Retry-After": "30"})]
    now = timezone.now()
    text = deliver(now)
    assert text.state == State.PENDING
    assert text.due_at >= now + timedelta(seconds=29)
    assert text.error_code in {"acs.throttled", "acs.failing"}


def test_being_throttled_is_no_failed_attempt(acs, confirmation):
    acs.plan = [Answer(429)]
    assert deliver().attempts == 0


def test_an_account_that_is_refused_keeps_the_texts_waiting_and_stops_the_calls(acs, confirmation):
    acs.plan = [Answer(401)]
    now = timezone.now()
    text = deliver(now)
    assert (text.state, text.error_code, text.attempts) == (State.PENDING, "acs.not_authorized", 0)
    assert SupplierHealth.objects.get(key="acs").is_open
    assert deliver(text.due_at + timedelta(seconds=1)).state == State.ACCEPTED
    assert not SupplierHealth.objects.get(key="acs").is_open


def test_a_refused_text_is_not_tried_again(acs, confirmation):
    acs.plan = [Answer(400)]
    text = deliver()
    assert (text.state, text.report_status) == (State.FAILED, "other_error")


def test_after_half_an_hour_of_failures_what_is_still_of_use_is_sent_once_and_the_rest_is_marked(acs, confirmation):
    now = timezone.now()
    stale = SmsMessage.objects.create(
        organization=confirmation.organization, visit=confirmation.visit, contact=confirmation.contact,
        kind="reminder", visit_version=1, contact_revision=0, offset_minutes=60,
        due_at=now, expires_at=now + timedelta(minutes=20),
    )  # fmt: skip
    acs.usual = lambda _call: Answer(500)
    ticks = [now + timedelta(seconds=seconds) for seconds in range(0, 1800, 5)]
    for tick in ticks:
        sending.deliver_due(now=tick)
    assert 5 < len(acs.calls) < 60  # with growing distance, and one trial at a time
    acs.calls.clear()
    acs.usual = accepted_by_acs
    for tick in (now + timedelta(seconds=1800 + seconds) for seconds in range(0, 900, 5)):
        sending.deliver_due(now=tick)
    assert len(acs.calls) == 1
    confirmation.refresh_from_db()
    stale.refresh_from_db()
    assert (confirmation.state, stale.state, stale.error_code) == (State.ACCEPTED, State.EXPIRED, "sms.too_late")


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_broken_twilio_may_have_taken_the_text(twilio, through_twilio, status):
    twilio.plan = [Answer(status)]
    text = deliver()
    assert (text.state, text.error_code) == (State.UNKNOWN, "twilio.failing")


@pytest.mark.parametrize(
    ("code", "state", "status"),
    [
        (21211, State.FAILED, "invalid_number"),
        (21610, State.SUPPRESSED, "blocked_by_recipient"),
        (30005, State.FAILED, "no_such_number"),
        (99999, State.FAILED, "other_error"),
        (20429, State.PENDING, ""),
        (21606, State.PENDING, ""),
    ],
)
def test_twilios_codes_decide_what_follows(twilio, through_twilio, code, state, status):
    twilio.plan = [Answer(400, {"code": code, "message": "…"})]
    text = deliver()
    assert (text.state, text.report_status) == (state, status)
    assert OptOut.objects.exists() == (code == 21610)


def test_a_messaging_service_sends_in_place_of_the_number(twilio, through_twilio):
    PhoneNumber.objects.update(messaging_service_sid=f"MG{'0' * 32}")
    deliver()
    form = twilio.calls[0].form
    assert form["MessagingServiceSid"].startswith("MG")
    assert "From" not in form
    assert 0 < int(form["ValidityPeriod"]) <= 36_000


def test_a_number_that_opted_out_gets_nothing(acs, confirmation):
    opt_outs.opt_out(confirmation.organization_id, confirmation.contact.phone, source="reply")
    text = deliver()
    assert (text.state, text.error_code) == (State.SUPPRESSED, "sms.opted_out")
    assert acs.calls == []


def test_an_opt_out_holds_in_one_organization_and_says_nothing_in_another(confirmation):
    other = opt_outs.index_of(Visit.objects.get().pk, "+16085550177")
    assert opt_outs.index_of(confirmation.organization_id, "+16085550177") != other


def test_a_cancellation_between_planning_and_sending_stops_the_text(acs, confirmation):
    Visit.objects.update(state=Visit.State.CANCELLED, version=2)
    assert deliver().state == State.WITHDRAWN
    assert acs.calls == []


def test_a_change_between_claim_and_call_stops_the_text(acs, confirmation, monkeypatch):
    claim = sending.claim

    def claim_and_change(**options):
        claimed = claim(**options)
        Visit.objects.update(version=2)
        return claimed

    monkeypatch.setattr(sending, "claim", claim_and_change)
    assert deliver().state == State.WITHDRAWN
    assert acs.calls == []


def test_a_text_that_comes_too_late_is_not_sent(acs, confirmation):
    text = deliver(confirmation.expires_at)
    assert (text.state, text.error_code) == (State.EXPIRED, "sms.too_late")


def test_a_paused_endpoint_keeps_its_texts_waiting(acs, confirmation):
    FhirEndpoint.objects.update(is_paused=True)
    text = deliver()
    assert (text.state, text.error_code, text.attempts) == (State.PENDING, "endpoint.paused", 0)
    assert acs.calls == []


def test_pausing_texts_holds_without_an_approval(acs, confirmation):
    SmsConfiguration.objects.update(is_paused=True)
    text = deliver()
    assert (text.state, text.error_code) == (State.PENDING, "sms.paused")
    SmsConfiguration.objects.update(is_paused=False)
    assert deliver(text.due_at).state == State.ACCEPTED


def test_a_careful_start_texts_about_a_share_of_visits_and_holds_the_others(acs, confirmation):
    SmsConfiguration.objects.update(released_percent=0)
    text = deliver()
    assert (text.state, text.error_code) == (State.PENDING, "sms.not_released")
    SmsConfiguration.objects.update(released_percent=100)
    assert deliver(text.due_at).state == State.ACCEPTED


def test_a_consent_that_was_withdrawn_stops_the_text(acs, confirmation):
    consents.withdraw(confirmation.organization, "patients", actor="avery", now=timezone.now())
    text = deliver()
    assert (text.state, text.error_code) == (State.SUPPRESSED, "sms.no_consent")
    assert acs.calls == []


def test_a_number_that_was_given_back_holds_its_texts(acs, confirmation):
    PhoneNumber.objects.update(release_requested_at=timezone.now())
    text = deliver()
    assert (text.state, text.error_code) == (State.PENDING, "sms.number_missing")
    assert acs.calls == []


def test_a_text_without_a_number_is_not_sent(acs, confirmation):
    confirmation.contact.phone = None
    confirmation.contact.save()
    assert deliver().state == State.SUPPRESSED


def test_an_answer_that_comes_after_the_claim_was_lost_changes_nothing(acs, confirmation):
    now = timezone.now()
    prepared = sending.prepare(sending.claim(now=now, limit=10), now=now)
    SmsMessage.objects.update(state=State.DELIVERED, lease_until=None)  # the receipt was faster
    (item,) = prepared
    sending.record([(item, item.provider.send(item.text))], now=now)
    assert SmsMessage.objects.get().state == State.DELIVERED


def test_a_phone_in_another_country_is_not_texted(acs, confirmation):
    Organization.objects.update(country="GB")
    approve(confirmation.visit.endpoint)
    text = deliver()
    assert (text.state, text.error_code) == (State.SUPPRESSED, "sms.country_not_served")
    assert acs.calls == []

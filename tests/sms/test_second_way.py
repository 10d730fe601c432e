"""A second number takes over, breakers stop what keeps failing, and no number goes faster than it may."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from core.models import AuditEvent
from sms.models import DeliveryEvent, NumberPace, PhoneNumber, SmsConfiguration, SmsMessage, SupplierHealth, UsageHour
from sms.providers.acs import CODES
from sms.providers.base import Delivery, DeliveryReport
from sms.services import limits, pace, receipts, sending
from sms.services.health import Breakers, Outcome
from tests.factories import approve, make_endpoint, make_sms_configuration, make_visit
from tests.sms.supplier import Answer

pytestmark = pytest.mark.django_db
State = SmsMessage.State
NOW = timezone.now()


def deliver(at=None):
    sending.deliver_due(now=at or timezone.now())
    return SmsMessage.objects.get()


def undelivered(code, *, message_id="m-1", event_id="e-1"):
    meaning = CODES[code]
    return DeliveryReport(
        event_id=event_id,
        message_id=message_id,
        delivery=Delivery.UNDELIVERED,
        code=code,
        at=NOW,
        fault=meaning.fault,
        reason=meaning.reason,
    )


def test_after_two_failures_the_second_number_sends(acs, twilio, with_second_way):
    acs.plan = [Answer(500), Answer(500)]
    first = deliver()
    assert (first.state, first.route) == (State.PENDING, 0)
    again = deliver(first.due_at)
    assert (again.state, again.route) == (State.PENDING, 1)
    second = deliver(again.due_at)
    assert second.state == State.ACCEPTED
    assert (len(acs.calls), len(twilio.calls)) == (2, 1)
    assert twilio.calls[0].form["From"] == "+18445550142"
    assert second.supplier == "twilio"


def test_an_account_that_is_refused_hands_over_at_once(acs, twilio, with_second_way):
    acs.plan = [Answer(401)]
    deliver()
    assert deliver().supplier == "twilio"


def test_an_unanswered_text_is_never_given_to_the_second_number(acs, twilio, with_second_way):
    acs.close()  # nothing was sent: that is certain, and only then
    text = deliver()
    assert (text.state, text.error_code) == (State.PENDING, "acs.unreachable")
    SmsMessage.objects.update(state=State.UNKNOWN, check_at=NOW)
    deliver(NOW + timedelta(hours=1))
    assert twilio.calls == []


def test_while_the_first_supplier_keeps_failing_texts_go_the_second_way_untried(acs, twilio, with_second_way):
    SupplierHealth.objects.create(key="acs", supplier="acs", opened_at=NOW, retry_at=NOW + timedelta(hours=1))
    deliver()
    assert deliver().supplier == "twilio"
    assert acs.calls == []


def test_a_text_that_was_not_delivered_goes_the_second_way_as_a_text_of_its_own(acs, twilio, with_second_way):
    deliver()
    receipts.record_report(undelivered("4006"), supplier="acs", now=NOW)
    waiting = SmsMessage.objects.get()
    assert (waiting.state, waiting.route, waiting.report_status) == (State.PENDING, 1, "unreachable")
    sent = deliver()
    assert (sent.state, sent.supplier) == (State.ACCEPTED, "twilio")
    assert sent.key != sent.pk


def test_a_late_delivery_of_the_first_text_still_counts_and_stops_the_second(acs, twilio, with_second_way):
    deliver()
    receipts.record_report(undelivered("4006"), supplier="acs", now=NOW)
    late = DeliveryReport(event_id="e-2", message_id="m-1", delivery=Delivery.DELIVERED, code="2000", at=NOW)
    receipts.record_report(late, supplier="acs", now=NOW)
    assert deliver().state == State.DELIVERED
    assert twilio.calls == []


def test_a_late_failure_of_the_first_text_does_not_undo_the_second(acs, twilio, with_second_way):
    deliver()
    receipts.record_report(undelivered("4006"), supplier="acs", now=NOW)
    deliver()
    receipts.record_report(undelivered("4006", event_id="e-2"), supplier="acs", now=NOW)
    text = SmsMessage.objects.get()
    assert (text.state, text.supplier, text.route) == (State.ACCEPTED, "twilio", 1)
    assert DeliveryEvent.objects.count() == 2


@pytest.mark.parametrize("code", ["4002", "4004", "4007"])
def test_a_wrong_number_or_a_stop_is_wrong_for_every_supplier(acs, twilio, with_second_way, code):
    deliver()
    receipts.record_report(undelivered(code), supplier="acs", now=NOW)
    assert SmsMessage.objects.get().state == State.UNDELIVERED
    deliver()
    assert twilio.calls == []


def test_without_a_second_number_an_unreachable_phone_is_tried_once_more_later(acs, confirmation):
    deliver()
    receipts.record_report(undelivered("4006"), supplier="acs", now=NOW)
    waiting = SmsMessage.objects.get()
    assert (waiting.state, waiting.route) == (State.PENDING, SmsMessage.FIRST_AGAIN)
    assert waiting.due_at == NOW + timedelta(minutes=20)
    deliver(waiting.due_at + timedelta(seconds=1))
    first, second = (call.recipient["repeatabilityRequestId"] for call in acs.calls)
    assert first != second
    receipts.record_report(undelivered("4006", event_id="e-2"), supplier="acs", now=NOW)
    assert SmsMessage.objects.get().state == State.UNDELIVERED


# --- Breakers ---


def outcomes(*, good=0, bad=0, refusal=False):
    number = PhoneNumber.objects.get()
    return [
        Outcome(supplier="acs", number_id=number.pk, is_good=is_good, is_refusal=refusal, reason="acs.failing")
        for is_good in [False] * bad + [True] * good
    ]


def health():
    return SupplierHealth.objects.get(key="acs")


def test_five_failures_in_a_row_open_and_one_success_closes(confirmation):
    Breakers(now=NOW).note(outcomes(bad=4), now=NOW)
    assert not health().is_open
    Breakers(now=NOW).note(outcomes(bad=1), now=NOW)
    assert health().is_open
    Breakers(now=NOW).note(outcomes(good=1), now=NOW)
    assert not health().is_open
    assert health().failures == 0


def test_a_success_between_failures_starts_the_count_again(confirmation):
    for counts in ({"bad": 4}, {"good": 1}, {"bad": 4}):
        Breakers(now=NOW).note(outcomes(**counts), now=NOW)
    assert not health().is_open


def test_half_of_twenty_together_open(confirmation):
    Breakers(now=NOW).note(outcomes(bad=10, good=10), now=NOW)
    assert health().is_open


def test_after_the_pause_one_text_tries_and_the_others_wait_and_the_pause_grows(confirmation):
    number = PhoneNumber.objects.get()
    Breakers(now=NOW).note(outcomes(bad=1, refusal=True), now=NOW)
    again = health().retry_at
    assert Breakers(now=NOW).closed_until("acs", number.pk) > again
    one, other = Breakers(now=again), Breakers(now=again)
    assert one.closed_until("acs", number.pk) is None
    assert other.closed_until("acs", number.pk) > again
    one.note(outcomes(bad=1), now=again)
    assert health().retry_at == again + timedelta(seconds=60)


def test_a_number_that_is_refused_does_not_stop_the_others(confirmation):
    number = PhoneNumber.objects.get()
    refused = Outcome(supplier="acs", number_id=number.pk, is_good=False, is_refusal=True, is_about_number=True)
    Breakers(now=NOW).note([refused], now=NOW)
    assert list(SupplierHealth.objects.filter(opened_at__isnull=False).values_list("key", flat=True)) == [
        f"acs:{number.pk}"
    ]


# --- Pace and caps ---


def test_a_number_keeps_its_pace_and_the_others_have_their_turn_one_after_another(confirmation):
    number = PhoneNumber.objects.get()
    may_go, later = pace.turns(number, [1] * 50, per_minute=60, now=NOW)
    assert may_go == 6  # five seconds' worth and the one that is due
    steps = {round((b - a).total_seconds(), 3) for a, b in pairwise(later)}
    assert steps == {1.0}
    soon, _ = pace.turns(number, [1] * 50, per_minute=60, now=NOW + timedelta(seconds=60))
    assert soon == 6  # not the sixty that came free meanwhile: carriers count bursts


def test_a_second_batch_queues_behind_the_first(confirmation):
    number = PhoneNumber.objects.get()
    _, first = pace.turns(number, [1] * 20, per_minute=60, now=NOW)
    _, second = pace.turns(number, [1] * 20, per_minute=60, now=NOW)
    assert second[0] > first[-1]


def test_a_text_beyond_the_pace_waits_and_that_is_no_attempt(acs, confirmation):
    number = PhoneNumber.objects.get()
    now = timezone.now()
    NumberPace.objects.create(number=number, free_at=now + timedelta(minutes=5), queued_until=now)
    text = deliver(now)
    assert (text.state, text.error_code, text.attempts) == (State.PENDING, "sms.paced", 0)
    assert UsageHour.objects.get().texts == 0
    assert acs.calls == []


def test_one_patient_gets_no_more_than_the_cap_and_somebody_is_told(acs):
    endpoint = make_endpoint(with_sms=False, approved=False)
    make_sms_configuration(endpoint, visit_cap=2, reminder_minutes=[60, 120, 180])
    approve(endpoint)
    make_visit(endpoint)
    SmsMessage.objects.update(due_at=NOW)
    sending.deliver_due(now=timezone.now())
    again = SmsMessage.objects.exclude(state=State.SUPPRESSED).first()
    SmsMessage.objects.create(
        organization=again.organization, visit=again.visit, contact=again.contact, kind=again.kind, copy=1,
        visit_version=1, contact_revision=0, due_at=NOW, expires_at=NOW + timedelta(hours=1),
    )  # fmt: skip
    sending.deliver_due(now=timezone.now())
    assert SmsMessage.objects.get(copy=1).error_code == "sms.visit_cap"
    assert AuditEvent.objects.filter(action="sms.visit_cap_reached").exists()


def test_beyond_the_organizations_cap_texts_wait_with_one_alarm(acs, confirmation):
    endpoint = confirmation.visit.endpoint
    SmsConfiguration.objects.update(organization_cap=5)
    approve(endpoint)
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.create(organization=confirmation.organization, hour=hour - timedelta(hours=3), texts=5)
    text = deliver()
    assert (text.state, text.error_code) == (State.PENDING, "sms.organization_cap")
    deliver(text.due_at)
    assert AuditEvent.objects.filter(action="sms.organization_cap_reached").count() <= 2
    assert acs.calls == []


def test_the_cap_counts_24_hours_and_gives_back_what_was_not_sent(confirmation):
    organization_id = confirmation.organization_id
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    UsageHour.objects.create(organization_id=organization_id, hour=hour - timedelta(hours=25), texts=100)
    assert limits.reserve(organization_id, wanted=8, cap=10, now=NOW) == 8
    assert limits.reserve(organization_id, wanted=8, cap=10, now=NOW) == 2
    limits.give_back(organization_id, count=4, now=NOW)
    assert limits.reserve(organization_id, wanted=8, cap=10, now=NOW) == 4

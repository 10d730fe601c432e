"""Texts whose answer never came, or whose worker did not come back: none is sent twice, none is forgotten."""

import time
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from config_portal.models import Organization
from core import outbox
from sms.models import PhoneNumber, SmsConfiguration, SmsMessage, Supplier
from sms.providers.base import Delivery, DeliveryReport
from sms.services import receipts, resending, sending, settling
from sms.services.carrier import Carrier, NotHandedOver
from tests.factories import approve
from tests.sms.conftest import make_number
from tests.sms.supplier import HANG, Answer
from visits.models import Visit

pytestmark = pytest.mark.django_db
State = SmsMessage.State
NOTHING = Answer(200, {"messages": []})


def deliver(at=None):
    sending.deliver_due(now=at or timezone.now())
    return SmsMessage.objects.get()


def test_a_supplier_that_takes_a_text_and_hangs_is_not_called_again_once_its_report_came(
    acs, confirmation, monkeypatch
):
    monkeypatch.setattr("core.http_async.READ_SECONDS", 0.3)
    acs.plan = [Answer(HANG)]
    text = deliver()
    assert text.state == State.UNKNOWN
    report = DeliveryReport(
        event_id="e-1", message_id="m-9", delivery=Delivery.DELIVERED, code="2000", at=timezone.now(), key=str(text.pk)
    )
    receipts.record_report(report, supplier="acs", now=timezone.now())
    settling.settle_unknown(now=text.check_at + timedelta(minutes=5))
    settled = SmsMessage.objects.get()
    assert (settled.state, settled.supplier_message_id) == (State.DELIVERED, "m-9")
    assert len(acs.calls) == 1


def test_an_unanswered_text_is_unknown_until_the_supplier_recognises_its_key(acs, confirmation, monkeypatch):
    monkeypatch.setattr("core.http_async.READ_SECONDS", 0.3)
    acs.plan = [Answer(HANG)]
    now = timezone.now()
    first = deliver(now)
    assert (first.state, first.error_code) == (State.UNKNOWN, "acs.no_answer")
    deliver(now + timedelta(minutes=5))
    assert len(acs.calls) == 1  # nobody sends it again
    assert settling.settle_unknown(now=first.check_at) == 1
    settled = SmsMessage.objects.get()
    assert (settled.state, settled.supplier_message_id) == (State.ACCEPTED, "m-1")
    assert acs.calls[0].body == acs.calls[1].body  # the same key, time and words: one text to Azure


def test_an_unanswered_text_of_a_visit_that_changed_meanwhile_is_not_asked_about(acs, confirmation, monkeypatch):
    monkeypatch.setattr("core.http_async.READ_SECONDS", 0.3)
    acs.plan = [Answer(HANG)]
    first = deliver()
    Visit.objects.update(version=2)
    settling.settle_unknown(now=first.check_at)
    assert len(acs.calls) == 1  # asking Azure could send it
    assert SmsMessage.objects.get().state == State.UNKNOWN


def unanswered(twilio, monkeypatch):
    monkeypatch.setattr("core.http_async.READ_SECONDS", 0.3)
    twilio.plan = [Answer(HANG)]
    text = deliver()
    assert (text.state, text.error_code) == (State.UNKNOWN, "twilio.no_answer")
    return text


def listed(text, call, **values):
    form = call.form
    message = {"sid": "SM7", "to": form["To"], "body": form["Body"], "status": "sent", **values}
    return Answer(200, {"messages": [{"date_created": f"{text.first_sent_at:%a, %d %b %Y %H:%M:%S} +0000", **message}]})


def test_twilios_list_settles_a_text_that_was_taken(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    twilio.plan = [listed(text, twilio.calls[0])]
    settling.settle_unknown(now=text.check_at)
    settled = SmsMessage.objects.get()
    assert (settled.state, settled.supplier_message_id) == (State.ACCEPTED, "SM7")
    assert [call.method for call in twilio.calls] == ["POST", "GET"]


def test_a_text_that_twilio_lacks_twice_goes_out_again(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    nothing = Answer(200, {"messages": []})
    twilio.plan = [nothing, listed(text, twilio.calls[0], body="another text")]
    settling.settle_unknown(now=text.check_at)
    assert SmsMessage.objects.get().state == State.UNKNOWN
    assert settling.settle_unknown(now=text.check_at + timedelta(seconds=30)) == 0  # it may still appear
    settling.settle_unknown(now=text.check_at + timedelta(seconds=61))
    assert SmsMessage.objects.get().state == State.PENDING
    assert deliver(text.check_at + timedelta(seconds=62)).state == State.ACCEPTED


def test_while_twilio_does_not_say_the_text_stays_unknown(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    twilio.plan = [Answer(503), Answer(503)]
    settling.settle_unknown(now=text.check_at)
    settling.settle_unknown(now=text.check_at + timedelta(seconds=61))
    assert SmsMessage.objects.get().state == State.UNKNOWN


def test_a_worker_that_died_before_the_call_costs_nothing(acs, confirmation):
    now = timezone.now()
    outbox.claim(SmsMessage.objects.due_before(now), now=now)
    later = now + outbox.LEASE
    assert settling.recover_abandoned(now=later) == 1
    assert deliver(later).state == State.ACCEPTED


def test_a_worker_that_died_during_a_call_leaves_an_unknown_text(confirmation):
    now = timezone.now()
    SmsMessage.objects.update(supplier=Supplier.TWILIO)
    outbox.claim(SmsMessage.objects.due_before(now), now=now)
    settling.recover_abandoned(now=now + outbox.LEASE)
    text = SmsMessage.objects.get()
    assert (text.state, text.check_at) == (State.UNKNOWN, now + outbox.LEASE)


def test_twilio_is_asked_for_the_words_it_was_given_not_for_those_approved_since(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    Organization.objects.update(name="Lamna Health Partners")
    approve(text.visit.endpoint)
    twilio.plan = [listed(text, twilio.calls[0])]
    settling.settle_unknown(now=text.check_at)
    assert SmsMessage.objects.get().supplier_message_id == "SM7"


def test_the_supplier_that_was_called_is_asked_not_the_one_approved_since(acs, twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    other = make_number(text.organization, number="+18445550142", supplier=Supplier.ACS, verification="approved")
    SmsConfiguration.objects.update(number=other)
    approve(text.visit.endpoint)
    twilio.plan = [listed(text, twilio.calls[0])]
    settling.settle_unknown(now=text.check_at)
    assert (SmsMessage.objects.get().state, acs.calls) == (State.ACCEPTED, [])


def test_a_text_from_a_number_given_up_since_is_found(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    other = make_number(text.organization, number="+18445550142", supplier=Supplier.TWILIO, verification="approved")
    SmsConfiguration.objects.update(number=other)
    approve(text.visit.endpoint)
    PhoneNumber.objects.filter(pk=text.number_id).update(release_requested_at=timezone.now())
    twilio.plan = [listed(text, twilio.calls[0])]
    settling.settle_unknown(now=text.check_at)
    assert SmsMessage.objects.get().supplier_message_id == "SM7"


def test_a_text_that_waits_in_twilios_queue_is_found_on_whatever_page(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    found = listed(text, twilio.calls[0], status="queued", date_sent=None)
    twilio.plan = [
        Answer(200, {"messages": [], "next_page_uri": "/2010-04-01/Accounts/AC1/Messages.json?Page=1"}),
        found,
    ]
    settling.settle_unknown(now=text.check_at)
    assert SmsMessage.objects.get().supplier_message_id == "SM7"
    first, second = (call.path for call in twilio.calls if call.method == "GET")
    assert "DateSent" not in first  # it has none yet
    assert second.endswith("?Page=1")


def test_two_looks_are_a_minute_apart_however_long_the_first_one_takes(twilio, through_twilio, monkeypatch):
    monkeypatch.setattr("sms.services.settling.ASK_AGAIN", timedelta(seconds=0.2))
    text = unanswered(twilio, monkeypatch)
    began = time.monotonic()
    twilio.plan = [Answer(200, {"messages": []}, after=0.5)]  # slower than the pause
    settling.settle_unknown(now=text.check_at)
    answered_at = text.check_at + timedelta(seconds=time.monotonic() - began)
    looked = SmsMessage.objects.get()
    assert looked.check_at >= text.check_at + timedelta(seconds=0.7)
    assert looked.check_at <= answered_at + settling.ASK_AGAIN
    assert settling.settle_unknown(now=text.check_at + timedelta(seconds=0.6)) == 0
    assert SmsMessage.objects.get().state == State.UNKNOWN


def test_an_answer_that_was_overtaken_does_not_send_a_text_again(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)

    record = settling._record

    def overtaken(message, answer, *, now):
        """Write the answer down only after another worker found nothing either, and sent it again, unanswered."""
        SmsMessage.objects.update(checks=0, attempt_id=uuid.uuid4())
        record(message, answer, now=now)

    monkeypatch.setattr(settling, "_record", overtaken)
    SmsMessage.objects.update(checks=1)
    twilio.plan = [NOTHING]
    settling.settle_unknown(now=text.check_at)
    assert SmsMessage.objects.get().state == State.UNKNOWN


def test_a_worker_that_was_stopped_beyond_its_lease_hands_nothing_over(twilio, through_twilio):
    now = timezone.now()
    (stopped,) = sending.prepare(sending.claim(now=now, limit=10), now=now)
    stopped.message.hand_over_before -= sending.LEASE.total_seconds()  # as long as it was stopped
    later = now + sending.LEASE
    settling.recover_abandoned(now=later)
    twilio.plan = [NOTHING, NOTHING]
    for _ in range(settling.CHECKS):
        settling.settle_unknown(now=later)
        later += settling.ASK_AGAIN * 2
    assert deliver(later).state == State.ACCEPTED  # by another worker
    with Carrier(parallel=1) as carrier:
        carrier.take([stopped])
        results = carrier.collect(wait=10)
    assert isinstance(results[0][1], NotHandedOver)
    sending.record(results, now=later)
    assert SmsMessage.objects.get().state == State.ACCEPTED
    assert [call.method for call in twilio.calls].count("POST") == 1


def test_a_text_whose_turn_comes_too_late_waits_again(acs, confirmation, monkeypatch):
    monkeypatch.setattr("sms.services.sending.LEASE", timedelta(seconds=30))  # no longer than a call may last
    text = deliver()
    assert (text.state, text.error_code, text.attempts, acs.calls) == (State.PENDING, "sms.worker_delayed", 0, [])


def test_two_texts_in_the_same_words_are_not_taken_for_one(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    copy = SmsMessage.objects.get()
    copy.pk, copy.copy = uuid.uuid4(), 1
    copy.save(force_insert=True)
    found = listed(text, twilio.calls[0])
    twilio.plan = [found, found]
    settling.settle_unknown(now=text.check_at)
    states = SmsMessage.objects.order_by("supplier_message_id").values_list("state", "supplier_message_id")
    assert list(states) == [(State.UNKNOWN, ""), (State.ACCEPTED, "SM7")]


def test_staff_cannot_resend_what_is_being_asked_about(twilio, through_twilio, monkeypatch):
    text = unanswered(twilio, monkeypatch)
    assert "is being asked" in resending.refusal(text, now=timezone.now())

from datetime import timedelta

import pytest
from django.utils import timezone

from sms.models import InboundAction, InboundText, OptOut, PhoneNumber, Supplier
from sms.providers.base import IncomingText
from sms.services import answering, inbound, retention
from tests.sms.supplier import HANG, Answer

pytestmark = pytest.mark.django_db
PHONE, OURS = "+16085550177", "+18335550142"
NOW = timezone.now()


def hear(words, *, supplier=Supplier.ACS, event_id="i-1", is_answered=False):
    text = IncomingText(event_id=event_id, sender=PHONE, recipient=OURS, body=words, is_answered=is_answered)
    return inbound.record_incoming(text, supplier=supplier, now=NOW)


def kinds():
    return list(InboundAction.objects.order_by("due_at").values_list("kind", flat=True))


def answer_all():
    for seconds in (0, 10):
        answering.answer_due(now=NOW + timedelta(seconds=seconds))


def opted_out_at_acs(call):
    return Answer(200, {"value": [{"to": PHONE, "httpStatusCode": 200}]})


def test_help_is_answered_with_the_hospitals_name_and_number(acs, confirmation):
    hear("HELP")
    answer_all()
    (call,) = acs.calls
    assert call.json["message"].startswith(
        "Lamna Healthcare: we text you about your video visits. Help: (608) 555-0110."
    )
    assert call.recipient["to"] == PHONE
    assert call.json["from"] == OURS


def test_help_is_answered_in_the_patients_language(acs, confirmation):
    confirmation.contact.language = "es"
    confirmation.contact.save()
    hear("ayuda")
    answer_all()
    assert "Ayuda: (608) 555-0110" in acs.calls[0].json["message"]


def test_help_that_the_supplier_answered_is_not_answered_twice(confirmation):
    hear("HELP", is_answered=True)
    assert kinds() == []


def test_a_word_that_carriers_obey_is_left_to_them(confirmation):
    hear("STOP")
    assert OptOut.objects.get().words == "keyword"
    assert kinds() == []


@pytest.mark.parametrize("words", ["QUIT", "please stop texting me"])
def test_any_other_no_is_confirmed_once_and_then_told_to_azure(acs, confirmation, words):
    hear(words)
    acs.usual = lambda call: (
        opted_out_at_acs(call)
        if "optouts" in call.path
        else Answer(202, {"value": [{"to": PHONE, "messageId": "m-2", "httpStatusCode": 202, "successful": True}]})
    )
    answer_all()
    said, told = acs.calls
    assert "no more texts" in said.json["message"]
    assert told.path.startswith("/sms/optouts:add?")
    assert told.json == {"from": OURS, "recipients": [{"to": PHONE}]}


def test_a_yes_lets_texts_go_again_and_azure_know_it_first(acs, confirmation):
    hear("QUIT")
    InboundAction.objects.all().delete()
    hear("resume", event_id="i-2")
    assert kinds() == ["unblock", "started"]
    assert not OptOut.objects.filter(ended_at=None).exists()


def test_a_yes_of_somebody_who_never_said_no_is_not_answered(confirmation):
    hear("yes")
    assert kinds() == []


@pytest.mark.parametrize(("kind", "is_opted_out"), [("toll_free", True), ("local", False)])
def test_a_bare_yes_counts_where_carriers_take_it(confirmation, kind, is_opted_out):
    PhoneNumber.objects.update(kind=kind)
    hear("STOP")
    hear("yes", event_id="i-2")
    assert OptOut.objects.filter(ended_at=None).exists() is is_opted_out


def test_twilios_own_words_are_left_to_twilio(confirmation):
    PhoneNumber.objects.update(supplier=Supplier.TWILIO)
    hear("QUIT", supplier=Supplier.TWILIO)
    assert OptOut.objects.exists()
    assert kinds() == []


def test_nothing_of_the_phone_is_left_once_it_is_answered(acs, confirmation):
    hear("HELP")
    answer_all()
    action = InboundAction.objects.get()
    assert (action.state, action.phone) == (InboundAction.DONE, None)


def test_an_answer_that_could_never_be_given_is_forgotten_within_the_hour(confirmation):
    hear("HELP")
    assert retention.purge(now=NOW + timedelta(minutes=59)) == 0
    assert retention.purge(now=NOW + timedelta(minutes=60)) == 1
    assert InboundAction.objects.get().phone is None


def test_an_answer_that_azure_did_not_confirm_is_repeated_under_the_same_key(acs, confirmation, monkeypatch):
    monkeypatch.setattr("core.http.READ_SECONDS", 0.3)
    acs.plan = [Answer(HANG)]
    hear("HELP")
    answering.answer_due(now=NOW)
    answering.answer_due(now=NOW + timedelta(minutes=1))
    assert acs.calls[0].body == acs.calls[1].body


def test_an_answer_that_twilio_did_not_confirm_is_not_repeated(twilio, confirmation, monkeypatch):
    monkeypatch.setattr("core.http.READ_SECONDS", 0.3)
    PhoneNumber.objects.update(supplier=Supplier.TWILIO)
    twilio.plan = [Answer(HANG)]
    hear("HELP", supplier=Supplier.TWILIO)
    answering.answer_due(now=NOW)
    answering.answer_due(now=NOW + timedelta(minutes=1))
    assert len(twilio.calls) == 1
    assert InboundAction.objects.get().state == InboundAction.FAILED


def test_what_a_dead_worker_left_is_told_to_the_supplier_again_but_not_said_again(confirmation):
    hear("QUIT")
    InboundAction.objects.update(state=InboundAction.SENDING, lease_until=NOW)
    answering.recover_abandoned(now=NOW)
    states = dict(InboundAction.objects.values_list("kind", "state"))
    assert states == {"block": InboundAction.PENDING, "stopped": InboundAction.FAILED}


def test_only_the_meaning_is_kept(confirmation):
    hear("please stop by at 3, I am Elena Rivera")
    kept = InboundText.objects.values().get()
    assert "Elena" not in str(kept)
    assert "5550177" not in str(kept)
    assert kept["meaning"] == "unclear"

"""Replies that were not understood wait for a person; only what was done about each is kept."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from core.models import AuditEvent
from sms.models import InboundText, OptOut, PhoneNumber
from sms.providers.base import IncomingText
from sms.services import inbound, opt_outs
from tests.factories import make_endpoint, make_organization, make_staff, make_visit
from visits.models import PatientContact

pytestmark = pytest.mark.django_db
REPLIES = reverse("messages:replies")
PHONE = "+16085550177"


@pytest.fixture
def visit():
    return make_visit()


@pytest.fixture
def support(client, visit):
    client.force_login(make_staff(visit.organization, Role.SUPPORT))
    return client


def write(body, *, sender=PHONE, event_id="in-1"):
    number = PhoneNumber.objects.get()
    text = IncomingText(event_id=event_id, sender=sender, recipient=number.number, body=body)
    inbound.record_incoming(text, supplier=number.supplier, now=timezone.now())
    return InboundText.objects.get(event_id=event_id)


def handle(client, reply, how):
    return client.post(
        reverse("messages:handle_reply", args=[reply.reference]), {"how": how}, follow=True
    ).content.decode()


def test_what_was_not_understood_is_shown_with_what_to_do_and_without_its_words(support):
    write("can we stop by a bit later, this is Elena")
    write("thanks!", event_id="in-2")
    write("STOP", event_id="in-3")
    shown = support.get(REPLIES).content.decode()
    assert shown.count("Perhaps no more texts") == 1
    assert shown.count("Something else") == 1
    assert "Record an opt-out if that is what was meant" in shown
    for words in ("Elena", "thanks", PHONE, "0177"):
        assert words not in shown
    assert "a bit later" not in str(list(InboundText.objects.values()))


def test_an_opt_out_recorded_from_a_reply_ends_texts_to_that_phone(support, visit):
    reply = write("stop by later?")
    assert "Stored" in handle(support, reply, "opt_out")
    index = opt_outs.index_of(visit.organization_id, PHONE)
    assert OptOut.objects.get(ended_at=None).phone_index == index
    reply.refresh_from_db()
    assert (reply.handling, reply.handled_by) == ("opt_out", "avery.reed@lamna.example.org")
    event = AuditEvent.objects.get(action="sms.reply_handled")
    assert (event.actor, event.data["how"]) == ("avery.reed@lamna.example.org", "opt_out")
    shown = support.get(REPLIES).content.decode()
    assert "Nothing to look at" in shown
    assert "Recorded: no more texts" in shown


def test_two_people_deal_with_a_reply_once(support):
    reply = write("stop by later?")
    handle(support, reply, "answered")
    assert "Somebody has dealt with it already" in handle(support, reply, "opt_out")
    assert not OptOut.objects.exists()
    assert InboundText.objects.get().handling == "answered"


def test_no_opt_out_is_recorded_for_a_number_that_is_erased(support):
    reply = write("stop by later?")
    PatientContact.objects.update(phone=None)
    assert "Record: no more texts" not in support.get(REPLIES).content.decode()
    assert "erased" in handle(support, reply, "opt_out")
    assert InboundText.objects.get().handled_at is None


def test_something_else_than_the_three_answers_changes_nothing(support):
    reply = write("stop by later?")
    assert "Choose what was done" in handle(support, reply, "burn")
    assert InboundText.objects.get().handled_at is None


def test_a_reply_to_another_organization_is_not_found(support):
    stranger = make_visit(make_endpoint(make_organization(slug="tailspin")), session_id="999000111")
    number = PhoneNumber.objects.create(organization=stranger.organization, number="+18335550199", supplier="acs")
    theirs = InboundText.objects.create(
        organization=stranger.organization, number=number, supplier="acs", event_id="x", meaning="unclear",
        at=timezone.now(),
    )  # fmt: skip
    theirs.refresh_from_db()
    assert (
        support.post(reverse("messages:handle_reply", args=[theirs.reference]), {"how": "nothing"}).status_code == 404
    )
    assert "Perhaps no more texts" not in support.get(REPLIES).content.decode()


def test_an_analyst_sees_replies_and_deals_with_none(client, visit):
    reply = write("stop by later?")
    client.force_login(make_staff(visit.organization, Role.ANALYST))
    shown = client.get(REPLIES).content.decode()
    assert "Perhaps no more texts" in shown
    assert "I asked the patient" not in shown
    assert client.post(reverse("messages:handle_reply", args=[reply.reference]), {"how": "nothing"}).status_code == 403

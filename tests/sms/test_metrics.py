import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from core.models import AuditEvent
from sms.models import PhoneNumber, SmsMessage
from sms.services import opt_outs, sending
from tests.sms.supplier import Answer

pytestmark = pytest.mark.django_db


def scraped(client):
    text = client.get(reverse("metrics")).content.decode()
    return dict(re.findall(r"^(connector_sms\S*?(?:\{.*?\})?) (\S+)$", text, re.MULTILINE))


def test_the_queue_tells_how_old_it_is(client, confirmation):
    SmsMessage.objects.update(due_at=timezone.now() - timedelta(minutes=2))
    values = scraped(client)
    assert values["connector_sms_due_texts"] == "1.0"
    assert float(values["connector_sms_oldest_due_seconds"]) == pytest.approx(120, abs=5)


def test_outcomes_are_counted_by_supplier_and_code_and_lateness_in_buckets(client, acs, confirmation):
    acs.plan = [Answer(500)]
    now = timezone.now()
    sending.deliver_due(now=now)
    SmsMessage.objects.update(due_at=now - timedelta(seconds=40))
    sending.deliver_due(now=now)
    values = scraped(client)
    assert values['connector_sms_outcomes_total{code="acs.failing",state="pending",supplier="acs"}'] == "1.0"
    assert values['connector_sms_outcomes_total{code="",state="accepted",supplier="acs"}'] == "1.0"
    assert values['connector_sms_lateness_seconds_bucket{le="15.0",supplier="acs"}'] == "0.0"
    assert values['connector_sms_lateness_seconds_bucket{le="60.0",supplier="acs"}'] == "1.0"


def test_an_open_breaker_shows(client, acs, confirmation):
    acs.plan = [Answer(401)]
    sending.deliver_due(now=timezone.now())
    assert scraped(client)['connector_sms_breaker_open{way="acs"}'] == "1.0"


def test_the_report_command_counts_how_texts_ended(acs, confirmation):
    sending.deliver_due(now=timezone.now())
    out = StringIO()
    call_command("sms_report", stdout=out)
    assert re.search(r"1\s+acs\s+accepted", out.getvalue())
    assert "sent late by" in out.getvalue()


def test_the_report_of_an_unknown_organization_says_so(db):
    with pytest.raises(CommandError, match="no such organization"):
        call_command("sms_report", "--organization", "nobody")


def test_a_test_text_is_sent_by_hand_and_written_down(acs, confirmation):
    out = StringIO()
    call_command("send_test_sms", "(608) 555-0177", stdout=out)
    assert "m-1" in out.getvalue()
    assert acs.calls[0].recipient["to"] == "+16085550177"
    assert AuditEvent.objects.get(action="sms.test_sent").data["to"] == "77"


@pytest.mark.parametrize("to", ["hello", "911"])
def test_a_test_text_to_no_number_is_refused(acs, confirmation, to):
    with pytest.raises(CommandError, match="no telephone number"):
        call_command("send_test_sms", to)


def test_a_test_text_respects_who_said_stop(acs, confirmation):
    opt_outs.opt_out(confirmation.organization_id, "+16085550177", source="reply")
    with pytest.raises(CommandError, match=r"sms\.opted_out"):
        call_command("send_test_sms", "+16085550177")
    assert acs.calls == []


def test_without_one_number_the_sender_has_to_be_named(acs, confirmation):
    PhoneNumber.objects.create(organization=confirmation.organization, number="+18335550143", supplier="acs")
    with pytest.raises(CommandError, match="--sender"):
        call_command("send_test_sms", "+16085550177")

"""No number can be read an hour after its visit began: not in any table, not in what is left on texts."""

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from core import crypto, retention
from core.crypto import EncryptedTextField
from core.models import AuditEvent
from sms.models import InboundAction, SmsMessage
from sms.providers.base import IncomingText
from sms.services import inbound, receipts, sending
from sms.services.retention import purge
from tests.sms.test_second_way import undelivered
from visits.services import retention as visit_retention

pytestmark = pytest.mark.django_db
CANARY = "6085550177"


def readable():
    """Every text that any encrypted column of any table still gives, with its model."""
    found = []
    for model in apps.get_models():
        columns = [field for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
        for row in model._default_manager.all() if columns else []:
            found += [(model.__name__, getattr(row, field.attname)) for field in columns]
    return found


def stored():
    """Everything that the database holds, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        content = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608 - names from the catalogue
            content += [row for (row,) in cursor.fetchall()]
    return "\n".join(content)


def test_an_hour_after_the_start_no_number_can_be_read_and_a_late_report_still_finds_its_text(acs, confirmation):
    now = timezone.now()
    sending.deliver_due(now=now)
    text = IncomingText(event_id="i-1", sender=f"+1{CANARY}", recipient="+18335550142", body="please stop texting me")
    inbound.record_incoming(text, supplier="acs", now=now)
    assert any(CANARY in str(value) for _, value in readable())
    end = confirmation.visit.starts_at + timedelta(minutes=55)
    visit_retention.purge_contacts(now=end)
    purge(now=end)
    assert not [model for model, value in readable() if CANARY in str(value)]
    assert CANARY not in stored()
    sent = SmsMessage.objects.get()
    assert (sent.contact.phone, sent.contact.phone_index, sent.number_ending) == (None, "", "")
    assert receipts.record_report(undelivered("4006"), supplier="acs", now=end)
    sent.refresh_from_db()
    assert (sent.state, sent.report_status) == (SmsMessage.State.UNDELIVERED, "unreachable")


def test_a_number_that_was_swapped_into_another_row_texts_nobody(acs, confirmation):
    mine = confirmation.contact
    other = mine.visit.contacts.create(phone="+16085550188", phone_index="x", person_index="y", purge_at=mine.purge_at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE visits_patientcontact AS mine SET phone = other.phone FROM visits_patientcontact AS other"
            " WHERE mine.id = %s AND other.id = %s",
            [mine.pk, other.pk],
        )
    sending.deliver_due(now=timezone.now())
    assert acs.calls == []
    text = SmsMessage.objects.get()
    assert (text.state, text.error_code) == (SmsMessage.State.FAILED, "sms.number_unreadable")
    with pytest.raises(crypto.DecryptionError):
        _ = type(mine).objects.get(pk=mine.pk).phone


def test_the_nightly_report_counts_what_was_kept_too_long_once_a_day(confirmation):
    late = confirmation.visit.starts_at + timedelta(hours=2)
    confirmation.number_ending = "77"
    confirmation.save()
    found = retention.overdue(now=late)
    assert (found["last_digits_on_texts"], found["phone_numbers"], found["phones_that_wrote_to_us"]) == (1, 1, 0)
    assert retention.report_nightly(now=timezone.now())
    assert not retention.report_nightly(now=timezone.now())
    assert AuditEvent.objects.get(action=retention.REPORTED).data["overdue"]["phone_numbers"] == 0


def test_the_command_fails_while_a_number_is_kept_too_long(confirmation):
    out = StringIO()
    call_command("purge_report", stdout=out)
    assert "0  phone_numbers" in out.getvalue()
    type(confirmation.visit).objects.update(starts_at=timezone.now() - timedelta(hours=2))
    with pytest.raises(CommandError, match="too long"):
        call_command("purge_report", stdout=out)


def test_a_patient_who_loses_the_visit_leaves_no_digits_behind(acs, confirmation):
    sending.deliver_due(now=timezone.now())
    from visits.signals import contacts_purged  # noqa: PLC0415

    contacts_purged.send(sender=None, contact_ids=[confirmation.contact_id])
    assert SmsMessage.objects.get().number_ending == ""
    assert not InboundAction.objects.exists()

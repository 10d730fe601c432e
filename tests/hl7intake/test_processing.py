import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from hl7intake.errors import AckCode
from hl7intake.models import InboundMessage
from hl7intake.reader import read
from sms.models import SmsMessage
from tests.factories import make_endpoint
from tests.hl7intake import messages
from tests.hl7intake.conftest import receive_and_apply as receive
from tests.hl7intake.conftest import sender_of
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, NO_SHOW, PHONE_DELETED, change, load
from visits.models import PatientContact, Visit

State = InboundMessage.State

pytestmark = pytest.mark.django_db


def msa(acknowledgement):
    (message,) = acknowledgement.messages
    return read(message).first("MSA")


def test_a_new_visit_is_stored_with_its_texts_and_accepted(sender, endpoint, now):
    acknowledgement = receive(load(NEW), sender=sender, now=now)

    assert (acknowledgement.code, acknowledgement.state) == (AckCode.ACCEPT, State.APPLIED)
    assert (msa(acknowledgement).raw(1), msa(acknowledgement).raw(2)) == ("AA", "700000101")
    visit = Visit.objects.get()
    assert (visit.session_id, visit.starts_at) == ("482200417", datetime(2026, 9, 21, 19, 0, tzinfo=UTC))
    assert visit.contacts.get().phone == "+16085550177"
    assert SmsMessage.objects.filter(visit=visit).exists()


def test_the_row_says_what_came_and_holds_nothing_of_the_patient(sender, endpoint, now):
    receive(load(NEW), sender=sender, now=now)
    row = InboundMessage.objects.get()

    assert (row.endpoint, row.organization, row.visit) == (endpoint, endpoint.organization, Visit.objects.get())
    assert (row.sending_application, row.sending_facility, row.control_id) == ("EPIC", "LAMNA", "700000101")
    assert (row.message_type, row.trigger, row.ack_code, row.deliveries) == ("SIU", "S12", "AA", 1)
    assert (row.message_at, row.received_at) == (datetime(2026, 9, 14, 15, 30, 12, tzinfo=UTC), now)
    assert (row.start_text, row.raw, row.warnings, row.charset) == ("20260921140000", None, [], "ascii")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(m::text, ' ') FROM hl7intake_inboundmessage m")
        dump = cursor.fetchone()[0]
    for secret in ("RIVERA", "ELENA", "E40021877", "19840519", "BIRCH", "5550177", "555-0177", "482200417"):
        assert secret not in dump


def test_a_whole_life_of_a_visit(sender, now):
    for name, state in [
        (NEW, State.APPLIED),
        (MOVED, State.APPLIED),
        (PHONE_DELETED, State.APPLIED),
        (CANCELLED, State.APPLIED),
    ]:
        assert receive(load(name), sender=sender, now=datetime(2026, 11, 2, tzinfo=UTC)).state == state
    visit = Visit.objects.get()

    assert visit.state == Visit.State.CANCELLED
    assert visit.starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
    assert visit.contacts.get().phone is None


def test_a_group_visit_and_its_no_show(sender, now):
    receive(load(GROUP), sender=sender, now=now)
    receive(load(NO_SHOW), sender=sender, now=now + timedelta(days=10))

    visit = Visit.objects.get()
    assert (visit.state, visit.interpreter_language, visit.is_group) == (Visit.State.NO_SHOW, "es", True)


def test_a_duplicate_gets_the_same_answer_and_has_no_effect(sender, now):
    receive(load(NEW), sender=sender, now=now)
    texts = SmsMessage.objects.count()
    again = receive(load(NEW), sender=sender, now=now + timedelta(minutes=1))

    assert (again.code, again.state) == (AckCode.ACCEPT, State.APPLIED)
    assert msa(again).raw(2) == "700000101"
    assert InboundMessage.objects.get().deliveries == 2
    assert (Visit.objects.get().version, SmsMessage.objects.count()) == (1, texts)


def test_another_content_under_a_known_id_is_refused_and_both_are_kept(sender, now):
    receive(load(NEW), sender=sender, now=now)
    other = receive(change(load(NEW), ("SCH", 11, "^^^202609221400")), sender=sender, now=now)

    assert other.code is AckCode.ERROR
    assert read(other.messages[0]).first("ERR").text(3) == "205"
    assert sorted(InboundMessage.objects.values_list("state", "error_code")) == [
        ("applied", ""),
        ("rejected", "hl7.control_id_reused"),
    ]
    assert Visit.objects.get().starts_at == datetime(2026, 9, 21, 19, 0, tzinfo=UTC)


def test_the_same_id_of_another_endpoint_or_facility_is_another_message(sender, now):
    receive(load(NEW), sender=sender, now=now)
    elsewhere = receive(load(NEW), sender=sender_of(make_endpoint()), now=now)
    branch = receive(change(load(NEW), ("MSH", 4, "BRANCH")), sender=sender, now=now)

    assert (elsewhere.state, branch.state) == (State.APPLIED, State.APPLIED)
    assert InboundMessage.objects.count() == 3
    assert Visit.objects.count() == 2


def test_late_news_of_a_cancelled_visit_changes_nothing(sender, now):
    receive(load(NEW), sender=sender, now=now)
    receive(load(CANCELLED), sender=sender, now=now + timedelta(days=60))
    late = receive(load(MOVED), sender=sender, now=now + timedelta(days=60))

    assert (late.code, late.state) == (AckCode.ACCEPT, State.SUPERSEDED)
    assert Visit.objects.get().state == Visit.State.CANCELLED
    assert InboundMessage.objects.get(trigger="S13").state == State.SUPERSEDED


def test_the_end_of_an_unknown_visit_is_accepted_and_outlives_its_late_beginning(sender, now):
    unknown = receive(load(CANCELLED), sender=sender, now=now)
    late = receive(load(NEW), sender=sender, now=now)

    assert (unknown.code, unknown.state) == (AckCode.ACCEPT, State.IGNORED)
    assert InboundMessage.objects.get(trigger="S15").reason == "unknown_visit"
    assert (late.code, late.state) == (AckCode.ACCEPT, State.SUPERSEDED)
    assert not Visit.objects.exists()


@pytest.mark.parametrize("order", list(itertools.permutations([NEW, MOVED, PHONE_DELETED, CANCELLED])))
def test_the_order_of_arrival_and_duplicates_do_not_change_how_it_ends(order, sender, now):
    for name in (*order, *order[:2]):
        assert receive(load(name), sender=sender, now=datetime(2026, 11, 2, tzinfo=UTC)).code is AckCode.ACCEPT

    assert not Visit.objects.scheduled().exists()
    assert not PatientContact.objects.filter(visit__state=Visit.State.SCHEDULED).exists()


def test_a_visit_booked_again_after_its_end_takes_place(sender, now):
    receive(load(NEW), sender=sender, now=now)
    receive(load(CANCELLED), sender=sender, now=now)
    again = change(load(NEW), ("MSH", 7, "20261101170000"), ("MSH", 10, "700000999"), ("SCH", 11, "^^^202611050900"))

    assert receive(again, sender=sender, now=datetime(2026, 11, 2, tzinfo=UTC)).state == State.APPLIED
    assert Visit.objects.get().is_scheduled


def test_an_empty_filter_sends_nothing_and_says_so(now):
    endpoint = make_endpoint(visit_types=[])
    acknowledgement = receive(load(NEW), sender=sender_of(endpoint), now=now)

    row = InboundMessage.objects.get()
    assert (acknowledgement.code, row.state, row.reason) == (AckCode.ACCEPT, State.IGNORED, "filter_empty")
    assert [warning["code"] for warning in row.warnings] == ["filter_empty"]
    assert not Visit.objects.exists()


def test_a_message_ignored_for_want_of_settings_does_not_outdate_others(now):
    endpoint = make_endpoint(visit_types=[])
    receive(change(load(MOVED), ("MSH", 10, "1")), sender=sender_of(endpoint), now=now)
    assert InboundMessage.objects.get().session_index == ""


def test_before_the_approval_messages_are_accepted_and_not_used(now):
    endpoint = make_endpoint(approved=False)
    acknowledgement = receive(load(NEW), sender=sender_of(endpoint), now=now)

    assert (acknowledgement.code, acknowledgement.state) == (AckCode.ACCEPT, State.IGNORED)
    assert InboundMessage.objects.get().reason == "not_approved"


def test_what_was_changed_after_the_approval_does_not_count_yet(sender, endpoint, now):
    endpoint.visit_types, endpoint.time_zone = ["OFFICE"], "UTC"
    endpoint.save()

    assert receive(load(NEW), sender=sender, now=now).state == State.APPLIED
    assert Visit.objects.get().starts_at == datetime(2026, 9, 21, 19, 0, tzinfo=UTC)


def test_the_schedule_is_kept_during_a_pause(sender, endpoint, now):
    endpoint.is_paused = True
    endpoint.save()

    assert receive(load(NEW), sender=sender, now=now).state == State.APPLIED


def test_an_appointment_in_person_is_accepted_and_not_used(sender, now):
    raw = change(load(NEW), ("SCH", 8, "OFFICE"), ("AIS", 3, "OFFICE"))

    assert receive(raw, sender=sender, now=now).state == State.IGNORED
    assert InboundMessage.objects.get().reason == "not_virtual"
    assert not Visit.objects.exists()


def test_a_visit_that_becomes_one_in_person_is_called_off(sender, now):
    receive(load(NEW), sender=sender, now=now)
    raw = change(load(MOVED), ("SCH", 8, "OFFICE"), ("AIS", 3, "OFFICE"))

    assert receive(raw, sender=sender, now=datetime(2026, 9, 19, tzinfo=UTC)).state == State.APPLIED
    assert Visit.objects.get().state == Visit.State.CANCELLED


def test_a_change_that_names_no_visit_type_updates_a_known_visit_only(sender, now):
    bare = change(load(MOVED), ("SCH", 8, ""), ("AIS", 3, ""))
    assert receive(bare, sender=sender, now=now).state == State.IGNORED

    receive(change(load(NEW), ("SCH", 2, "9"), ("PV1", 19, "9")), sender=sender, now=now)
    known = change(bare, ("MSH", 10, "2"), ("SCH", 2, "9"), ("PV1", 19, "9"))
    assert receive(known, sender=sender, now=now).state == State.APPLIED
    visit = Visit.objects.get()
    assert (visit.visit_type, visit.visit_type_name) == ("VV30", "VIDEO VISIT 30")
    assert visit.starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "code", "condition"),
    [
        (b"hello", "AR", "100"),
        (load(NEW).replace(b"SIU^S12", b"ADT^A04"), "AR", "200"),
        (load(NEW).replace(b"SIU^S12", b"SIU^Z02"), "AR", "201"),
        (load(NEW).replace(b"RIVERA", b"RIV\0RA"), "AR", "102"),
        (messages.without(change(load(NEW), ("SCH", 11, "")), "AIS", "AIP"), "AE", "101"),
    ],
)
def test_a_malformed_message_is_refused_with_its_reason_and_nothing_else_is_stored(sender, now, raw, code, condition):
    acknowledgement = receive(raw, sender=sender, now=now)
    row = InboundMessage.objects.get()

    assert (acknowledgement.code, acknowledgement.state, row.state) == (code, State.REJECTED, State.REJECTED)
    assert read(acknowledgement.messages[0]).first("ERR").text(3) == condition
    assert (row.raw, row.visit, row.session_index, row.ack_code) == (None, None, "", code)
    assert row.error_text
    assert not Visit.objects.exists()


def test_a_refused_message_sent_again_and_again_is_one_row(sender, now):
    bad = change(load(NEW), ("MSH", 9, "ADT^A04"))
    for _ in range(3):
        assert receive(bad, sender=sender, now=now).code is AckCode.REJECT

    assert InboundMessage.objects.get().deliveries == 3


def test_a_refused_message_may_be_mended_under_the_same_id(sender, now):
    receive(change(load(NEW), ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, "")), sender=sender, now=now)
    receive(load(NEW), sender=sender, now=now)

    assert set(InboundMessage.objects.values_list("state", flat=True)) == {State.REJECTED, State.APPLIED}


def test_enhanced_mode_is_answered_as_asked(sender, now):
    raw = change(load(NEW), ("MSH", 15, "AL"), ("MSH", 16, "NE"))
    assert msa(receive(raw, sender=sender, now=now)).raw(1) == "CA"

    silent = change(load(NEW), ("MSH", 10, "2"), ("MSH", 15, "NE"), ("MSH", 16, "NE"))
    assert receive(silent, sender=sender, now=now).messages == ()

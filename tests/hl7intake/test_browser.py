"""The message browser: found, explained, compared, replayed; texts only with a reason that is written down."""

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Role
from core.models import AuditEvent
from hl7intake.models import InboundMessage, RawRetention
from hl7intake.services import processing
from hl7intake.services.processing import apply_due
from hl7intake.services.receiving import receive
from hl7intake.services.retention import wipe_raw
from tests.factories import make_endpoint, make_organization, make_staff
from tests.hl7intake.conftest import receive_and_apply, sender_of
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, PHONE_DELETED, change, insert, load

pytestmark = pytest.mark.django_db
INBOX = reverse("hl7:inbox")
NOW = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)
PRIVATE = ("RIVERA", "ELENA", "E40021877", "19840519", "BIRCH", "555-0177", "5550177")
State = InboundMessage.State


@pytest.fixture
def staff(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


@pytest.fixture
def support(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.SUPPORT))
    return client


def page_of(client, message: InboundMessage, name: str = "message") -> str:
    return client.get(reverse(f"hl7:{name}", args=[message.pk])).content.decode()


def row(control_id: str) -> InboundMessage:
    return InboundMessage.objects.get(control_id=control_id)


def refused(sender, *, now=NOW, control_id="999", keep_hours: int = 0) -> InboundMessage:
    if keep_hours:
        RawRetention.objects.create(organization_id=sender.organization_id, hours=keep_hours)
    raw = change(load(NEW), ("MSH", 10, control_id), ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, ""))
    receive(raw, sender=sender, now=now)
    return row(control_id)


def quarantined(sender, *, now=NOW, control_id="666", raw: bytes | None = None) -> InboundMessage:
    receive(raw or change(load(NEW), ("MSH", 10, control_id)), sender=sender, now=now)
    with patch.object(processing, "apply", side_effect=ValueError("poison")):
        for _ in range(processing.MAX_ATTEMPTS):
            InboundMessage.objects.filter(control_id=control_id).update(due_at=now)
            apply_due(now=now)
    return row(control_id)


def test_messages_are_listed_newest_first_with_what_became_of_them(staff, sender):
    receive_and_apply(load(NEW), sender=sender, now=NOW)
    receive_and_apply(load(CANCELLED), sender=sender, now=NOW + timedelta(minutes=1))
    refused(sender, now=NOW + timedelta(minutes=2))
    page = staff.get(INBOX).content.decode()

    assert page.index("999") < page.index("700000311") < page.index("700000101")
    for words in ("New appointment", "Cancellation", "Applied", "Rejected", "The start of the appointment is missing"):
        assert words in page
    assert "482200417" in page
    assert not [word for word in PRIVATE if word in page]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("outcome=applied", {"700000101", "700000120", "700000188"}),
        ("outcome=rejected", {"999"}),
        ("outcome=quarantined", set()),
        ("outcome=warned", {"700000101", "700000188"}),  # the clock of the last one is ahead
        ("visit=482200417", {"700000101", "700000188"}),
        ("visit=4822004", set()),
        ("control_id=7000001", {"700000101", "700000120", "700000188"}),
        ("control_id=70000010", {"700000101"}),
        ("since=2026-09-14T11:01&until=2026-09-14T11:02", {"700000120"}),
        ("since=2026-09-14T11:01", {"700000120", "700000188", "999"}),
        ("since=yesterday&outcome=nonsense&endpoint=nonsense", {"700000101", "700000120", "700000188", "999"}),
    ],
)
def test_messages_are_found_by_outcome_visit_control_id_and_time(staff, sender, query, expected):
    noted = change(load(NEW), ("AIS", 4, "20260921150000"))
    for number, raw in enumerate([noted, load(GROUP), load(MOVED)]):
        receive_and_apply(raw, sender=sender, now=NOW + timedelta(minutes=number))
    refused(sender, now=NOW + timedelta(minutes=3))
    page = staff.get(f"{INBOX}?{query}").content.decode()

    found = {one for one in ("700000101", "700000120", "700000188", "999") if f">{one}</a>" in page}
    assert found == expected
    assert ("Nothing matches" in page) == (not expected)


def test_long_lists_come_in_pages_with_the_filter_kept(staff, sender, endpoint):
    now = NOW
    InboundMessage.objects.bulk_create(
        InboundMessage(
            organization=endpoint.organization,
            endpoint=endpoint,
            control_id=f"C{number:03}",
            sha256="0" * 64,
            received_at=now - timedelta(seconds=number // 2),
            state=State.IGNORED,
            ack_code="AA",
            answered="AA",
        )
        for number in range(120)
    )
    seen, address = [], f"{INBOX}?outcome=ignored"
    while address:
        response = staff.get(address)
        rows = [one.control_id for one in response.context["page_"].rows]
        assert len(rows) <= 50
        seen += rows
        assert not response.context["older"] or "outcome=ignored" in response.context["older"]
        address = response.context["older"] and INBOX + response.context["older"]
    assert len(seen) == len(set(seen)) == 120


def test_the_inbox_needs_the_same_queries_however_long_it_is(staff, sender, django_assert_max_num_queries):
    receive_and_apply(load(NEW), sender=sender, now=NOW)
    staff.get(INBOX)
    with django_assert_max_num_queries(20) as first:
        staff.get(INBOX)
    for number in range(12):
        raw = change(load(NEW), ("MSH", 10, str(number)), ("SCH", 2, f"S{number}"), ("PV1", 19, f"S{number}"))
        receive_and_apply(raw, sender=sender, now=NOW)
    with django_assert_max_num_queries(20) as second:
        staff.get(INBOX)
    assert len(first) == len(second)


def test_a_message_is_explained_and_its_text_is_gone(staff, sender):
    receive_and_apply(load(NEW), sender=sender, now=NOW)
    receive(load(NEW), sender=sender, now=NOW)
    page = page_of(staff, row("700000101"))

    for words in (
        "The visit is as this message says",
        "Sep 21, 2026, 2:00 PM CDT (sent as 20260921140000)",
        "30 minutes",
        "VV30 VIDEO VISIT 30",
        "LMFM",
        "number given, language en",
        "MSA|AA|700000101",
        "1 more time; each was answered the same",
        "None: it came over a loopback address",
        "Its text was erased when its outcome was stored",
        "Scheduling activity information",
        "Appointment timing quantity",
        "Kept only as a keyed hash, to notice another patient",
    ):
        assert words in page
    assert not [word for word in PRIVATE if word in page]
    assert "Show its text" not in page
    assert "Replay" not in page


NO_START = change(load(NEW), ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, ""))


@pytest.mark.parametrize(
    ("modes", "raw", "listed", "shown", "hidden"),
    [
        (("AL", "NE"), load(NEW), "CA", ["MSA|CA|700000101", "CA, accepted and stored", "Enhanced"], "MSA|AA"),
        (("AL", "AL"), load(NEW), "CA, AA", ["MSA|CA|700000101", "MSA|AA|700000101", "Enhanced"], "asks for none"),
        (("NE", "NE"), load(NEW), "none wanted", ["None; the sender asks for none", "Enhanced"], "MSA|"),
        (("AL", "NE"), NO_START, "CE", ["MSA|CE|700000101|The start", "CE, refused; may be sent again"], "MSA|AE"),
        (("AL", "NE"), load(NEW).replace(b"S12", b"S01"), "CR", ["CR, refused for good"], "MSA|AR"),
        (("", ""), load(NEW), "AA", ["MSA|AA|700000101", "AA, accepted"], "Enhanced"),
    ],
)
def test_the_answer_is_shown_in_the_mode_the_sender_asked_for(staff, sender, modes, raw, listed, shown, hidden):
    receive(change(raw, ("MSH", 15, modes[0]), ("MSH", 16, modes[1])), sender=sender, now=NOW)
    page = page_of(staff, row("700000101"))

    assert not [words for words in shown if words not in page]
    assert hidden not in page
    assert f'<span class="code">{listed}</span>' in staff.get(INBOX).content.decode()


def test_the_row_of_an_applied_message_holds_nothing_of_the_patient(sender):
    receive_and_apply(insert(load(NEW), "PID", "ZPI|1|ELENA RIVERA"), sender=sender, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM hl7intake_inboundmessage m")
        stored = cursor.fetchone()[0]

    assert json.loads(stored)["understood"]["segments"][3] == ["ZPI", [1, 2]]
    assert not [word for word in PRIVATE if word in stored]


def test_a_refusal_names_field_condition_and_what_to_look_at(staff, sender):
    page = page_of(staff, refused(sender))

    for words in (
        "SCH-11 Appointment timing quantity",
        "101 Required field missing",
        "hl7.start_missing",
        "send the start in SCH-11, component 4",
        "MSA|AE|999|The start of the appointment is missing",
        "ERR||SCH^1^11|101^Required field missing^HL70357|E",
        "Its text was erased",
    ):
        assert words in page


def test_notes_say_what_had_to_be_assumed(staff, sender):
    receive_and_apply(change(load(NEW), ("AIS", 4, "20260921150000")), sender=sender, now=NOW)
    page = page_of(staff, row("700000101"))

    assert "AIS-4: Two fields give different start times" in page
    assert "SCH-11 20260921140000, AIS-4 20260921150000" in page


def test_two_messages_of_one_appointment_are_compared(staff, sender):
    for minutes, name in enumerate((NEW, MOVED, PHONE_DELETED)):
        receive_and_apply(load(name), sender=sender, now=NOW + timedelta(days=40, minutes=minutes))
    first, second, third = row("700000101"), row("700000188"), row("700000240")
    page = page_of(staff, first)
    assert reverse("hl7:compare", args=[first.pk, second.pk]) in page
    # From the later one, too, the earlier stands first.
    assert reverse("hl7:compare", args=[first.pk, second.pk]) in page_of(staff, second)

    moved = staff.get(reverse("hl7:compare", args=[first.pk, second.pk])).content.decode()
    assert "<del>Sep 21, 2026, 2:00 PM CDT (sent as 20260921140000)</del>" in " ".join(moved.split()).replace(
        "<del> ", "<del>"
    ).replace(" </del>", "</del>")
    assert "SCH-7 Appointment reason" in moved
    deleted = staff.get(reverse("hl7:compare", args=[second.pk, third.pk])).content.decode()
    assert "number deleted or unusable" in deleted
    assert "AIL-3 Location resource ID" in deleted
    same = staff.get(reverse("hl7:compare", args=[first.pk, first.pk])).content.decode()
    assert "Both say the same" in same


def test_one_quarantined_message_is_replayed_and_does_not_block_others(staff, sender):
    poison = quarantined(sender)
    receive_and_apply(load(GROUP), sender=sender, now=NOW)
    assert (poison.state, poison.attempts, row("700000120").state) == (State.QUARANTINED, 5, State.APPLIED)
    page = page_of(staff, poison)
    assert "The fault is ours" in page
    assert "hl7.apply_failed.ValueError" in page
    replay = reverse("hl7:replay_one", args=[poison.pk])
    assert replay in page

    answer = staff.post(replay, follow=True).content.decode()
    assert "It takes effect within seconds" in answer
    apply_due(now=datetime.now(UTC))
    assert (row("666").state, row("666").raw) == (State.APPLIED, None)
    assert AuditEvent.objects.get(action="message.replayed").actor == "avery.reed@lamna.example.org"
    assert "Nothing to replay" in staff.post(replay, follow=True).content.decode()


def test_a_range_is_replayed_in_the_order_of_the_senders_clock(staff, sender):
    later = change(load(MOVED), ("MSH", 10, "B"), ("MSH", 7, "20260914120000"))
    earlier = change(load(NEW), ("MSH", 10, "A"), ("MSH", 7, "20260914110000"))
    quarantined(sender, control_id="B", raw=later, now=NOW)
    quarantined(sender, control_id="A", raw=earlier, now=NOW + timedelta(minutes=1))
    quarantined(sender, control_id="C", now=NOW + timedelta(hours=2))
    query = "?outcome=quarantined&until=2026-09-14T12:00"
    assert "Replay those found" in staff.get(INBOX + query).content.decode()
    page = staff.get(reverse("hl7:replay_found") + query)
    assert "Replay 2 messages" in page.content.decode()

    # What comes behind the page is not in it.
    until = page.context["until"]
    quarantined(sender, control_id="D", now=NOW + timedelta(minutes=30))
    answer = staff.post(reverse("hl7:replay_found") + query, {"until": until}, follow=True).content.decode()
    assert "2 messages take effect in the order" in answer
    assert {row(one).state for one in "CD"} == {State.QUARANTINED}
    while apply_due(now=datetime.now(UTC)):
        pass
    assert (row("A").state, row("B").state) == (State.APPLIED, State.APPLIED)
    assert row("B").visit.starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
    assert (
        "Nothing to replay"
        in staff.post(reverse("hl7:replay_found") + query, {"until": "x"}, follow=True).content.decode()
    )


def test_the_text_is_shown_to_support_with_a_reason_that_is_written_down_first(support, sender):
    message = refused(sender, keep_hours=24)
    url = reverse("hl7:message_text", args=[message.pk])
    assert "Show its text" in page_of(support, message)
    asked = support.get(url).content.decode()
    assert "Why do you need to see it?" in asked
    assert "RIVERA" not in asked
    assert "Say why you need to see it" in support.post(url, {"reason": ""}).content.decode()
    assert not AuditEvent.objects.filter(action="message.text_shown").exists()

    shown = support.post(url, {"reason": "ticket 4711"})
    text = shown.content.decode()
    assert "RIVERA^ELENA^M" in text
    assert "Patient name" in text
    assert "no-store" in shown.headers["Cache-Control"]
    event = AuditEvent.objects.get(action="message.text_shown")
    assert (event.actor, event.data["reason"], event.subject_id) == (
        "avery.reed@lamna.example.org",
        "ticket 4711",
        str(message.pk),
    )
    assert "RIVERA" not in json.dumps(event.data)
    support.post(url, {"reason": "ticket 4711"})
    assert AuditEvent.objects.filter(action="message.text_shown").count() == 2


def test_nobody_sees_a_text_whose_audit_event_cannot_be_written(support, sender):
    message = refused(sender, keep_hours=24)
    url = reverse("hl7:message_text", args=[message.pk])
    with patch("hl7intake.services.reading.audit.record", side_effect=RuntimeError), pytest.raises(RuntimeError):
        support.post(url, {"reason": "ticket 4711"})


def test_administrators_and_analysts_see_no_texts(client, sender, endpoint):
    message = refused(sender, keep_hours=24)
    for number, role in enumerate((Role.ADMIN, Role.ANALYST)):
        client.force_login(make_staff(endpoint.organization, role, username=f"{number}@lamna.example.org"))
        assert client.post(reverse("hl7:message_text", args=[message.pk]), {"reason": "curious"}).status_code == 403
        assert "Show its text" not in page_of(client, message)


def test_the_text_of_a_rejected_message_is_encrypted_and_goes_in_time(staff, sender, endpoint):
    page = staff.post(reverse("hl7:retention"), {"hours": "48"}, follow=True).content.decode()
    assert "kept for 48 hours, encrypted" in page
    message = refused(sender)
    with connection.cursor() as cursor:
        cursor.execute("SELECT raw FROM hl7intake_inboundmessage")
        assert b"RIVERA" not in bytes(cursor.fetchone()[0])
    assert message.raw_until == NOW + timedelta(hours=48)

    staff.post(reverse("hl7:retention"), {"hours": "2"})
    assert row("999").raw_until == NOW + timedelta(hours=2)
    assert wipe_raw(now=NOW + timedelta(hours=2)) == 1
    assert row("999").raw is None
    for wrong in ("73", "-1", "x"):
        answer = staff.post(reverse("hl7:retention"), {"hours": wrong}, follow=True).content.decode()
        assert "0 to 72" in answer
    assert RawRetention.objects.get().hours == 2
    changes = [event.data["changes"][0] for event in AuditEvent.objects.filter(action__startswith="message_text.")]
    assert [(one["was"], one["now"]) for one in changes] == [(0, 48), (48, 2)]


def test_messages_of_others_are_not_found(staff, endpoint):
    foreign = make_endpoint(make_organization(name="Northwind Clinics"))
    sender = sender_of(foreign)
    receive_and_apply(load(NEW), sender=sender, now=NOW)
    message = row("700000101")

    assert "700000101" not in staff.get(INBOX).content.decode()
    assert staff.get(reverse("hl7:message", args=[message.pk])).status_code == 404
    assert staff.get(reverse("hl7:compare", args=[message.pk, message.pk])).status_code == 404
    assert staff.post(reverse("hl7:replay_one", args=[message.pk])).status_code == 404
    assert staff.get(f"{INBOX}?after={message.pk}").status_code == 200
    assert staff.post(reverse("hl7:watch", args=[foreign.pk]), {"hours": "1"}).status_code == 404
    assert staff.post(reverse("hl7:test", args=[foreign.pk])).status_code == 404


def test_support_staff_replay_and_analysts_do_not(client, sender, endpoint):
    message = quarantined(sender)
    client.force_login(make_staff(endpoint.organization, Role.ANALYST))

    assert client.post(reverse("hl7:replay_one", args=[message.pk])).status_code == 403
    assert reverse("hl7:replay_one", args=[message.pk]) not in page_of(client, message)
    assert "Replay those found" not in client.get(INBOX).content.decode()

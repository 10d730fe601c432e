"""Rules of acknowledging on the wire: batches, duplicates and storage failures, in the mode that was asked for."""

import pytest
from django.db import OperationalError

from hl7intake.framing import frame
from hl7intake.models import InboundMessage
from hl7intake.reader import read
from hl7intake.services import receiving
from hl7intake.services.receiving import receive
from tests.hl7intake.messages import MOVED, NEW, change, load
from tests.hl7intake.mllp import code, numbered

pytestmark = pytest.mark.django_db(transaction=True)
ENHANCED = (("MSH", 15, "AL"), ("MSH", 16, "NE"))
_BATCH_START = b"FHS|^~\\&|EPIC|LAMNA|X|Y|||||F1\rBHS|^~\\&|EPIC|LAMNA|X|Y|||||B1\r"


def answered(raw: bytes, *, sender, now) -> list[tuple[str, str, str]]:
    """Receive ``raw`` and return MSA-1, MSA-2 and ERR-3 of each answer."""
    answers = [read(one) for one in receive(raw, sender=sender, now=now).messages]
    return [(one.first("MSA").text(1), one.first("MSA").text(2), one.first("ERR").text(3)) for one in answers]


def test_a_duplicate_gets_the_same_code_again_in_enhanced_mode_too(sender, now):
    raw = change(load(NEW), *ENHANCED)
    assert [answered(raw, sender=sender, now=now) for _ in range(3)] == [[("CA", "700000101", "")]] * 3
    row = InboundMessage.objects.get()
    assert (row.deliveries, row.answered) == (3, "CA")


def test_other_content_under_a_known_id_is_refused_as_a_duplicate_key_and_both_are_kept(sender, now):
    assert answered(change(load(NEW), *ENHANCED), sender=sender, now=now) == [("CA", "700000101", "")]
    other = change(load(MOVED), ("MSH", 10, "700000101"), *ENHANCED)
    assert answered(other, sender=sender, now=now) == [("CE", "700000101", "205")]
    assert sorted(InboundMessage.objects.values_list("answered", flat=True)) == ["CA", "CE"]


@pytest.mark.parametrize(("modes", "expected"), [((), "AE"), (ENHANCED, "CE")])
def test_what_cannot_be_stored_is_never_accepted_in_either_mode(sender, now, monkeypatch, modes, expected):
    def fail(_deliveries):
        raise OperationalError

    monkeypatch.setattr(receiving, "store", fail)
    assert answered(change(load(NEW), *modes), sender=sender, now=now) == [(expected, "700000101", "207")]


def test_several_messages_in_one_frame_are_answered_one_by_one(peer):
    peer.send(frame(numbered(1) + numbered(2).replace(b"SIU^S12", b"SIU^Z02") + numbered(3)))
    assert [code(peer.answer()) for _ in range(3)] == [("AA", "N1"), ("AR", "N2"), ("AA", "N3")]


def test_a_batch_in_a_frame_is_answered_by_one_batch(peer):
    bad = numbered(2).replace(b"SIU^S12", b"SIU^Z02")
    peer.send(frame(_BATCH_START + numbered(1) + bad + numbered(3) + b"BTS|3\rFTS|1\r") + frame(numbered(4)))

    lines = peer.answer().decode().rstrip("\r").split("\r")
    assert [line for line in lines if line[:3] in {"BTS", "FTS"}] == ["BTS|3", "FTS|1"]
    assert [tuple(line.split("|")[1:3]) for line in lines if line.startswith("MSA")] == [
        ("AA", "N1"),
        ("AR", "N2"),
        ("AA", "N3"),
    ]
    assert code(peer.answer()) == ("AA", "N4")


def test_a_batch_sent_again_has_no_second_effect(peer):
    batch = frame(_BATCH_START + numbered(1) + numbered(2) + b"BTS|2\rFTS|1\r")
    for _ in range(2):
        peer.send(batch)
        assert peer.answer().count(b"MSA|AA|N") == 2
    assert sorted(InboundMessage.objects.values_list("control_id", "deliveries")) == [("N1", 2), ("N2", 2)]

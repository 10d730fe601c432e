"""Whatever is sent, there is one answer, soon, and the next message is taken."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hl7intake import ack
from hl7intake.batches import split_frame
from hl7intake.errors import AckCode, MessageRefused
from hl7intake.examining import examine
from hl7intake.framing import Framer, frame
from hl7intake.mapping import interpret
from hl7intake.reader import Limits, read
from hl7intake.rules import Rules
from tests.hl7intake.messages import NEW, change, insert, load
from tests.hl7intake.mutations import mutations

RULES = Rules(zone=ZoneInfo("America/Chicago"), visit_types=frozenset({"VV30", "VGRP60"}))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LIMITS = Limits()


def examined(raw: bytes):
    return examine(raw, rules=RULES, limits=LIMITS, now=NOW)


def test_twenty_thousand_mutations_are_each_answered_once_and_none_raises():
    outcomes = {AckCode.ACCEPT: 0, AckCode.ERROR: 0, AckCode.REJECT: 0}
    for raw in mutations(20_000):
        for part in split_frame(raw).messages:
            found = examined(part)
            answers = ack.answers(found.header, found.verdict, now=NOW)
            outcomes[found.verdict.code] += 1
            assert len(answers) <= 2
            for answer in answers:
                assert read(answer).first("MSA").text(1) in {"AA", "AE", "AR", "CA", "CE", "CR"}
                assert answer.count(b"\r") == (3 if found.verdict.condition else 2)  # nothing echoed brings a segment
            assert _refusal_in_full(part) == found.error_code  # the quick look before the answer misses nothing
    assert all(count > 500 for count in outcomes.values()), outcomes


def _refusal_in_full(raw: bytes) -> str:
    """Return why ``raw`` is refused when it is read as for a visit, '' when it is not."""
    try:
        interpret(read(raw), rules=RULES, now=NOW)
    except MessageRefused as refusal:
        return refusal.code
    return ""


def test_every_mutation_that_is_accepted_names_an_appointment():
    for raw in mutations(2_000, seed=7):
        found = examined(raw)
        if found.is_accepted:
            assert found.subject.session_id


BOMBS = {
    "segments": b"NTE|1\r" * 50_000,
    "a field of two megabytes": b"NTE|1||" + b"x" * 2_000_000 + b"\r",
    "repetitions": b"NTE|1||" + b"~" * 100_000 + b"\r",
    "backslashes": b"NTE|1||" + b"\\" * 100_001 + b"\r",
    "components": b"PID|1||" + b"^" * 500_000 + b"\r",
    "fields": b"SCH" + b"|" * 900_000 + b"\r",
    "long commands": b"NTE|1||" + b"\\.sp9999999\\" * 50_000 + b"\r",
    "hexadecimal": b"NTE|1||\\X" + b"41" * 400_000 + b"\\\r",
    "line ends": b"\n\r" * 400_000,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_read_or_refused_at_once(bomb):
    raw = load(NEW) + bomb
    started = time.process_time()
    found = examined(raw)
    if found.is_accepted:
        message = read(raw)
        interpret(message, rules=RULES, now=NOW)
        for segment in message.all("NTE"):
            segment.text(3)
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "raw",
    [load(NEW) + b"NTE|1\r" * 2_001, load(NEW) + b"NTE|1||" + b"~" * 10_001, load(NEW) + b"x" * 1_048_576],
    ids=["segments", "repetitions", "bytes"],
)
def test_what_is_beyond_the_limits_is_rejected_within_fifty_milliseconds(raw):
    started = time.process_time()
    assert examined(raw).verdict.code is AckCode.REJECT
    assert time.process_time() - started < 0.05


def test_limits_are_those_of_the_operator():
    raw = insert(load(NEW), "SCH", *["NTE|1"] * 20)
    assert examine(raw, rules=RULES, limits=Limits(segments=10), now=NOW).verdict.code is AckCode.REJECT
    assert examine(raw, rules=RULES, limits=Limits(segments=40), now=NOW).verdict.code is AckCode.ACCEPT


@pytest.mark.parametrize("size", [1, 2, 3, 7, 40])
def test_frames_survive_any_cutting_of_the_stream(size):
    stream = b"".join(frame(change(load(NEW), ("MSH", 10, f"N{n}"))) + b"\0\r\n" for n in range(3))
    framer = Framer(limit=LIMITS.bytes)
    got = [one for start in range(0, len(stream), size) for one in framer.feed(stream[start : start + size])]
    assert [read(one).first("MSH").text(10) for one in got] == ["N0", "N1", "N2"]


def test_a_comment_cannot_bring_a_message_of_its_own():
    forged = "MSH|^~\\&|EPIC|LAMNA|X|Y|20260914103012||SIU^S15|666|T|2.3\nSCH|482200417|482200417"
    raw = insert(load(NEW), "SCH", f"NTE|1||please call\n{forged}")
    assert len(split_frame(raw).messages) == 1


def test_several_messages_in_one_frame_are_told_apart():
    second = change(load(NEW), ("MSH", 10, "N2"))
    for raw in (load(NEW) + second, (load(NEW) + second).replace(b"\r", b"\n"), (load(NEW) + b"\r" + second)):
        ids = [read(one).first("MSH").text(10) for one in split_frame(raw).messages]
        assert ids == ["700000101", "N2"]

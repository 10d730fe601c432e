import os
from datetime import UTC, datetime

import hl7
import pytest

from hl7intake.ack import Verdict, answers, codes
from hl7intake.errors import AckCode, Condition
from hl7intake.reader import Envelope, Header, read, read_header
from tests.hl7intake.messages import NEW, change, load

NOW = datetime(2026, 11, 24, 12, 30, 15, tzinfo=UTC)
ACCEPTED = Verdict(code=AckCode.ACCEPT)
REFUSED = Verdict(
    code=AckCode.ERROR, text="The start is missing.", condition=Condition.REQUIRED_FIELD, location="SCH^1^11"
)


def answer(raw: bytes, verdict: Verdict = ACCEPTED) -> bytes:
    (only,) = answers(read_header(raw), verdict, now=NOW)
    return only


def test_an_answer_swaps_the_sides_and_names_the_message():
    message = read(answer(load(NEW)))
    msh, msa = message.first("MSH"), message.first("MSA")

    assert [msh.raw(number) for number in (3, 4, 5, 6)] == ["EHRCONNECTOR", "LAMNA", "EPIC", "LAMNA"]
    assert (msh.raw(7), msh.raw(9), msh.raw(11), msh.raw(12)) == ("20261124123015+0000", "ACK^S12^ACK", "T", "2.3")
    assert (msa.raw(1), msa.raw(2)) == ("AA", "700000101")
    assert not message.first("ERR")


def test_every_answer_has_an_id_of_its_own_that_fits_the_field():
    ids = {read(answer(load(NEW))).first("MSH").raw(10) for _ in range(100)}

    assert len(ids) == 100
    assert max(len(one) for one in ids) <= 20


def test_a_refusal_says_where_and_why_in_both_layouts_of_err():
    message = read(answer(load(NEW), REFUSED))
    err = message.first("ERR")

    assert message.first("MSA").raw(1) == "AE"
    assert message.first("MSA").text(3) == "The start is missing."
    assert err.raw(1) == "SCH^1^11^101&Required field missing"
    assert err.raw(2) == "SCH^1^11"
    assert err.raw(3) == "101^Required field missing^HL70357"
    assert (err.raw(4), err.text(8)) == ("E", "The start is missing.")


def test_an_independent_parser_reads_the_answer():
    parsed = hl7.parse(answer(load(NEW), REFUSED).decode())

    assert str(parsed.segment("MSA")[2]) == "700000101"
    assert str(parsed.segment("ERR")[2]) == "SCH^1^11"


def test_what_is_echoed_cannot_start_a_segment_or_field():
    raw = load(NEW).replace(b"700000101", b"700\x1b\x7f101").replace(b"EHRCONNECTOR", b"A\x1d\xc2\x85\xe2\x80\xa8B")
    verdict = Verdict(code=AckCode.ERROR, text="a|b\rMSA|AA|1 ^~\\&", condition=Condition.INTERNAL)
    message = read(answer(raw, verdict))

    assert [segment.name for segment in message] == ["MSH", "MSA", "ERR"]
    assert message.first("MSA").raw(2) == "700101"
    assert message.first("MSH").raw(3) == "AB"
    assert message.first("MSA").text(3) == "a|bMSA|AA|1 ^~\\&"


def test_the_senders_delimiters_and_character_set_are_used():
    raw = load(NEW).replace(b"|", b"#").replace(b"&", b"!")
    assert answer(raw).startswith(b"MSH#^~\\!#EHRCONNECTOR#")

    latin = change(load(NEW), ("MSH", 18, "8859/1"), ("MSH", 6, "@")).replace(b"@", "MUÑOZ".encode("latin-1"))
    message = read(answer(latin))
    assert (message.first("MSH").raw(4), message.first("MSH").raw(18)) == ("MUÑOZ", "8859/1")


def test_unreadable_bytes_are_answered_too():
    message = read(answer(b"\xff\xfe???", REFUSED))

    assert message.first("MSA").raw(1) == "AE"
    assert message.first("MSA").raw(2) == ""


@pytest.mark.parametrize(
    ("accept", "application", "code", "expected"),
    [
        ("", "", "AA", ["AA"]),
        ("", "", "AE", ["AE"]),
        ("", "", "AR", ["AR"]),
        ("AL", "NE", "AA", ["CA"]),
        ("AL", "NE", "AE", ["CE"]),
        ("AL", "NE", "AR", ["CR"]),
        ("AL", "AL", "AA", ["CA", "AA"]),
        ("AL", "AL", "AR", ["CR"]),
        ("NE", "AL", "AA", ["AA"]),
        ("NE", "AL", "AE", ["AE"]),
        ("NE", "NE", "AA", []),
        ("NE", "NE", "AR", []),
        ("ER", "NE", "AA", []),
        ("ER", "NE", "AE", ["CE"]),
        ("SU", "NE", "AA", ["CA"]),
        ("SU", "NE", "AE", []),
        ("", "AL", "AA", ["AA"]),
        ("NE", "ER", "AA", []),
        ("NE", "SU", "AA", ["AA"]),
    ],
)
def test_the_mode_asked_for_decides_which_answers_are_sent(accept, application, code, expected):
    header = Header(Envelope(accept_acknowledgment=accept, application_acknowledgment=application))

    assert list(codes(header, AckCode(code))) == expected


def test_the_mode_is_read_from_msh_15_and_16():
    raw = change(load(NEW), ("MSH", 15, "al"), ("MSH", 16, "NE"))

    assert read(answer(raw)).first("MSA").raw(1) == "CA"


def test_control_ids_of_a_forked_process_are_its_own():
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, answer(load(NEW)))
        os._exit(0)
    os.waitpid(pid, 0)
    theirs = read(os.read(reading, 1_000)).first("MSH").text(10)
    ours = read(answer(load(NEW))).first("MSH").text(10)

    assert len(theirs) == len(ours) == 20
    assert theirs[:13] != ours[:13]

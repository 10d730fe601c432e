import subprocess
import sys
import time

import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st

from hl7intake.encoding import Delimiters
from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.reader import Envelope, Limits, Message, read, read_header
from tests.hl7intake import messages
from tests.hl7intake.messages import GROUP, NEW, change, load


def contents(message: Message) -> list[tuple[str, list[str]]]:
    return [(segment.name, [segment.raw(number) for number in range(1, 40)]) for segment in message]


SEPARATIONS = {
    "cr": lambda raw: raw,
    "no last cr": lambda raw: raw.rstrip(b"\r"),
    "lf": lambda raw: raw.replace(b"\r", b"\n"),
    "crlf": lambda raw: raw.replace(b"\r", b"\r\n"),
    "cr and crlf mixed": lambda raw: raw.replace(b"\r", b"\r\n", 3),
    "lf first, cr later": lambda raw: raw.replace(b"\r", b"\n", 2),
    "cr first, lf later": lambda raw: raw.replace(b"\rPV1", b"\nPV1").replace(b"\rAIS", b"\nAIS"),
    "blank lines": lambda raw: raw.replace(b"\r", b"\r\r \r"),
    "blank lf lines": lambda raw: raw.replace(b"\r", b"\n\n"),
    "leading crlf": lambda raw: b"\r\n" + raw,
    "byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "framed": lambda raw: b"\x0b" + raw + b"\x1c\r",
    "framed twice": lambda raw: b"\x0b\x0b" + raw + b"\x1c\x1c\r\n",
    "framing marks inside": lambda raw: raw.replace(b"\rPID", b"\r\x0bPID").replace(b"\rRGS", b"\x1c\rRGS"),
    "mark, frame and lf": lambda raw: b"\x0b\xef\xbb\xbf" + raw.replace(b"\r", b"\n") + b"\x1c",
}


@pytest.mark.parametrize("form", SEPARATIONS)
@pytest.mark.parametrize("name", messages.NAMES)
def test_every_form_of_separation_reads_the_same(form, name):
    assert contents(read(SEPARATIONS[form](load(name)))) == contents(read(load(name)))


def test_a_bare_line_feed_between_cr_segments_stays_in_its_field():
    raw = load(GROUP).replace(b"Bring food", b"Bring\nPIDs and\nfood")

    assert read(raw).first("NTE").text(3) == "Patient prefers Spanish. Bring\nPIDs and\nfood diary & glucose log."
    assert len(read(raw).segments) == len(read(load(GROUP)).segments)


def test_fields_components_and_repetitions_are_counted_as_in_the_standard():
    message = read(load(NEW))

    assert message.first("MSH").raw(1) == "|"
    assert message.first("MSH").raw(2) == "^~\\&"
    assert message.first("MSH").text(9, component=2) == "S12"
    assert message.first("SCH").text(11, component=4) == "20260921140000"
    assert [one.text(3) for one in message.first("PID").repetitions(13)] == ["PH", "CP", "Internet"]
    assert message.first("PID").text(13) == "(608)555-0142"
    assert [segment.text(3) for segment in read(load(GROUP)).all("AIP")] == ["2207", "7714"]


def test_what_is_absent_reads_as_empty():
    message = read(load(NEW))

    assert not message.first("ZCH")
    assert message.first("ZCH").text(3) == ""
    assert message.first("PID").text(99, component=7, subcomponent=2) == ""
    assert message.first("PID").text(0) == ""
    assert message.first("PID").repetitions(99) == []
    assert message.all("TQ1") == []


def test_null_is_told_from_empty():
    pid = read(load(messages.PHONE_DELETED)).first("PID")

    assert pid.is_null(13)
    assert pid.text(13) == ""
    assert pid.repetitions(13)[0].is_null
    assert not pid.is_null(14)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"food diary \T\ log", "food diary & log"),
        (r"\F\\S\\R\\T\\E", r"|^~&\E"),
        (r"\E\F\E", r"\F\E"[0:1] + r"F\E"),
        (r"a\.br\b", "a\nb"),
        (r"a\.sp2\b", "a\n\nb"),
        (r"a\.sp99999999\b", "a" + "\n" * 40 + "b"),
        (r"a\.in+4\b", "ab"),
        (r"\H\bold\N\ text", "bold text"),
        (r"caf\XE9\ ", "café "),
        (r"\X41\\X42\ ", "AB "),
        (r"\X4\ ", r"\X4\ "),
        (r"\X00\ ", r"\X00\ "),
        (r"\Zold\ and C:\temp", r"\Zold\ and C:\temp"),
        ("\\", "\\"),
    ],
)
def test_escape_sequences_are_decoded_and_unknown_ones_left(sent, meant):
    raw = f"MSH|^~\\&|A|B|||20260101||SIU^S12|1|P|2.3\rNTE|1||{sent}|x\r".encode("latin-1")

    assert read(raw, charset="8859/1").first("NTE").text(3) == meant
    assert read(raw).first("NTE").raw(3) == sent


def test_the_senders_own_delimiters_are_used():
    raw = b"MSH#:*%!#EPIC#LAMNA###20260914#X#SIU:S12#700#T#2.3\rSCH#1#2:ns!sub*3\rNTE#1##a%T%b%F%c\r"
    message = read(raw)

    assert message.delimiters == Delimiters("#", ":", "*", "%", "!")
    assert message.first("MSH").text(9, component=2) == "S12"
    assert message.first("SCH").text(2, component=2, subcomponent=2) == "sub"
    assert message.first("SCH").repetitions(2)[1].text() == "3"
    assert message.first("NTE").text(3) == "a!b#c"


def test_a_fifth_delimiter_is_the_truncation_mark():
    assert read(load(NEW).replace(b"^~\\&", b"^~\\&#")).delimiters.truncation == "#"


@pytest.mark.parametrize("declared", ["^~\\", "^~\\&#!", "^^\\&", "^~\\|", "A~\\&", "^~ &", "", "\u00e9~\\&"])
def test_unusable_delimiters_are_refused_for_good(declared):
    with pytest.raises(MessageRefused) as refused:
        read(load(NEW).replace(b"^~\\&", declared.encode(), 1))

    assert refused.value.acknowledgment is AckCode.REJECT


@pytest.mark.parametrize(
    ("declared", "text", "encoding", "expected"),
    [
        ("", "Muñoz", "utf-8", "utf-8"),
        ("", "Muñoz", "cp1252", "cp1252"),
        ("ASCII", "Muñoz", "utf-8", "utf-8"),
        ("UNICODE UTF-8", "Muñoz", "utf-8", "utf-8"),
        ("UNICODE UTF-8", "Muñoz", "cp1252", "cp1252"),
        ("8859/1", "Muñoz", "iso8859-1", "iso8859-1"),
        ("8859/2", "Dvořák", "iso8859-2", "iso8859-2"),
        ("8859/1~UNICODE UTF-8", "Muñoz", "iso8859-1", "iso8859-1"),
        ("KLINGON", "Muñoz", "utf-8", "utf-8"),
        ("", "Munoz", "ascii", "ascii"),
    ],
)
def test_the_character_set_is_msh_18_then_utf_8_then_the_fallback(declared, text, encoding, expected):
    raw = change(load(NEW), ("MSH", 18, declared), ("SCH", 7, "@")).replace(b"@", text.encode(encoding))
    message = read(raw)

    assert message.charset == expected
    assert message.first("SCH").text(7) == text


def test_bytes_that_windows_1252_does_not_know_are_still_read():
    message = read(load(NEW).replace(b"RIVERA", b"RI\x81\x8dVERA"))

    assert message.charset == "iso8859-1"


def test_the_transports_character_set_wins():
    raw = change(load(NEW), ("MSH", 18, "UNICODE UTF-8")).replace(b"RIVERA", "MUÑOZ".encode())

    assert read(raw, charset="8859/1").charset == "iso8859-1"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "hl7.no_header"),
        (b"\x0b\x1c\r", "hl7.no_header"),
        (b"hello", "hl7.no_header"),
        (b"MSH", "hl7.delimiters"),
        (b"PID|1\rMSH|^~\\&|", "hl7.no_header"),
        (load(NEW).replace(b"RIVERA", b"RIV\0RA"), "hl7.nul"),
        (load(NEW).decode().encode("utf-16"), "hl7.nul"),
        (load(NEW) + load(GROUP), "hl7.several_messages"),
        (b"BHS|^~\\&|EPIC\r" + load(NEW) + b"BTS|1\r", "hl7.several_messages"),
        (b"MSH|^~\\&|" + b"x" * 1_048_576, "hl7.too_long"),
        (load(NEW) + b"NTE|1\r" * 2001, "hl7.too_many_segments"),
        (load(NEW) + b"NTE|" + b"~" * 10_001, "hl7.too_many_repetitions"),
    ],
)
def test_what_cannot_be_read_is_refused_for_good_with_its_reason(raw, code):
    with pytest.raises(MessageRefused) as refused:
        read(raw)

    assert (refused.value.code, refused.value.acknowledgment) == (code, AckCode.REJECT)
    assert refused.value.condition in Condition


def test_limits_are_configurable():
    with pytest.raises(MessageRefused, match="too_many_segments"):
        read(load(NEW), limits=Limits(segments=7))

    assert len(read(load(NEW), limits=Limits(segments=8)).segments) == 8


@pytest.mark.parametrize(
    "raw",
    [
        load(NEW) + b"\r".join(b"NTE|%d||x" % number for number in range(50_000)),
        load(NEW) + b"NTE|1||" + b"x" * 2_000_000,
        load(NEW) + b"NTE|1||" + b"a~" * 100_000,
        load(NEW) + b"NTE|1||" + b"\\" * 100_001,
        load(NEW) + b"NTE|1||" + b"\\X" + b"41" * 400_000,
        load(NEW) + b"NTE" + b"|" * 900_000,
        load(NEW) + b"NTE|1||" + b"^&" * 400_000,
        b"MSH|" + b"\\" * 100_001,
    ],
)
def test_a_bomb_is_read_or_refused_in_half_a_second(raw):
    started = time.perf_counter()
    try:
        note = read(raw).first("NTE")
        note.text(3, component=900, subcomponent=3)
        note.text(3)
    except MessageRefused:
        pass

    assert time.perf_counter() - started < 0.5


def test_a_header_is_read_from_whatever_was_refused():
    envelope, control_id = read_header(load(NEW).replace(b"RIVERA", b"RIV\0RA"))

    assert (control_id, envelope.trigger, envelope.sending_facility) == ("700000101", "S12", "LAMNA")
    assert read_header(b"\xff\xfegarbage").control_id == ""
    assert read_header(b"MSH").control_id == ""
    assert read_header(b"MSH|^^^^|A|B|||||SIU^S12|77\r").control_id == "77"


def test_a_header_that_differs_in_time_control_id_or_sequence_number_alone_has_the_same_envelope():
    first, later = (
        read_header(b"MSH|^~\\&|A|B|C|D|2026010%d||SIU^S12|%d|P|2.5.1|%d||AL|NE\r" % (n, n, n)) for n in (1, 2)
    )

    assert first.envelope is later.envelope
    assert (first.control_id, later.control_id) == ("1", "2")


@pytest.mark.parametrize("number", [3, 4, 5, 6, 9, 11, 12, 15, 16, 18])
def test_every_other_field_of_a_header_is_its_own(number):
    raw = b"MSH|^~\\&|A|B|C|D|20260101||SIU^S12|1|P|2.5.1|||AL|NE||ASCII\r"
    changed = change(raw, ("MSH", number, "ZZ"))
    envelope, other = read_header(raw).envelope, read_header(changed).envelope

    assert [getattr(envelope, name) != getattr(other, name) for name in Envelope.__slots__].count(True) in {1, 2}


def test_a_long_header_is_read_like_any_other():
    envelope, control_id = read_header(b"MSH|^~\\&|A|B|C|D|20260101|%s|SIU^S12|7|P|2.5.1\r" % (b"x" * 5_000))

    assert (control_id, envelope.sending_application, envelope.version) == ("7", "A", "2.5.1")


def test_names_of_patients_do_not_show_in_representations():
    message = read(load(NEW))

    assert "RIVERA" not in repr(message) + repr(message.segments) + str(message.first("PID"))


_WORDS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "Zs"], exclude_characters="|^~\\&\"'"), max_size=12
).map(str.strip)  # hl7apy drops blanks at the end of a segment
_COMPONENTS = st.lists(_WORDS, min_size=1, max_size=5).map("^".join)
_FIELDS = st.lists(_COMPONENTS, min_size=1, max_size=3).map("~".join)
_NOTES = st.lists(_FIELDS, min_size=1, max_size=4).map(lambda fields: "|".join(["ZZA", *fields]))


@settings(max_examples=60, deadline=None)
@given(st.lists(_NOTES, min_size=1, max_size=4))
def test_where_hl7apy_can_read_a_message_both_agree(notes):
    text = "MSH|^~\\&|EPIC|LAMNA|||20260101||SIU^S12|1|P|2.5\r" + "\r".join(notes) + "\r"
    oracle = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)

    ours = read(text.encode()).all("ZZA")
    theirs = [child for child in oracle.children if child.name == "ZZA"]
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        for number in range(1, 5):
            field = "~".join(one.to_er7() for one in getattr(other, f"zza_{number}", []))
            assert _trimmed(mine.raw(number)) == _trimmed(field)


def _trimmed(field: str) -> str:
    """Trailing empty components and repetitions mean nothing, and hl7apy does not keep them."""
    return "~".join(one.rstrip("^") for one in field.split("~")).rstrip("~")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(data):
    for raw in (data, b"MSH|^~\\&|" + data):
        try:
            for segment in read(raw):
                for number in range(6):
                    segment.text(number, component=2)
                    [one.text(2) for one in segment.repetitions(number)]
        except MessageRefused:
            pass
        read_header(raw)


def test_the_reader_needs_the_standard_library_only():
    program = (
        "import sys; sys.path.insert(0, '.'); import hl7intake.reader\n"
        "known = set(sys.stdlib_module_names) | {'__main__', 'hl7intake', 'core'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} - known))"
    )
    # Without site-packages: an import of anything else fails outright.
    arguments = [sys.executable, "-I", "-S", "-c", program]
    outcome = subprocess.run(arguments, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves

    assert outcome.stdout.strip() == "[]"

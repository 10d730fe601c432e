import re

import pytest
from hl7apy import load_library

from hl7intake.dictionary import FIELDS, SEGMENTS, SHOWN, USES
from hl7intake.outline import DELETED, HIDDEN, NOT_A_PHONE, outline, outline_of_shape, shape_of
from hl7intake.reader import read
from tests.hl7intake.messages import GROUP, NAMES, NEW, PHONE_DELETED, change, insert, load

PRIVATE = ("RIVERA", "ELENA", "NGUYEN", "MINH", "E40021877", "E40030551", "19840519", "BIRCH", "555", "0177", "glucose")


def values(raw: bytes, **options) -> dict[str, str]:
    found = outline(read(raw), **options)
    return {field.place: field.value for segment in found for field in segment.fields}


def test_fields_are_called_what_the_standard_calls_them():
    standard = load_library("2.5.1")

    def words(text: str) -> str:
        return re.sub(r"[^a-z0-9]", "", text.lower())

    for (segment, number), name in FIELDS.items():
        if (segment, number) != ("PID", 40):  # since v2.7
            assert words(name) == words(standard.get(f"{segment}_{number}", "Field")[3])


def test_everything_that_is_used_or_shown_has_a_name():
    assert set(USES) <= set(FIELDS)
    assert set(SHOWN) <= set(FIELDS)
    assert {segment for segment, _ in FIELDS} <= set(SEGMENTS)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_patient_is_repeated(name):
    text = " ".join(values(load(name)).values())

    assert not [word for word in PRIVATE if word in text]


def test_each_field_says_what_it_is_and_what_becomes_of_it():
    segments = outline(read(load(NEW)))
    assert [segment.name for segment in segments] == ["MSH", "SCH", "PID", "PV1", "RGS", "AIS", "AIL", "AIP"]
    start = next(field for field in segments[1].fields if field.number == 11)

    assert (start.place, start.name) == ("SCH-11", "Appointment timing quantity")
    assert (start.value, start.use) == ("^^^20260921140000", "Start, end and duration")
    shown = values(load(NEW))
    assert (shown["MSH-1"], shown["MSH-2"], shown["MSH-10"]) == ("|", "^~\\&", "700000101")
    assert shown["PID-5"] == HIDDEN
    assert shown["PID-13"] == "number ending 42, number ending 77"
    assert values(load(PHONE_DELETED))["PID-13"] == DELETED
    assert values(change(load(NEW), ("PID", 13, "ask mother")))["PID-13"] == NOT_A_PHONE


def test_the_full_text_is_repeated_only_where_it_is_asked_for():
    full = values(load(GROUP), is_full=True)

    assert full["PID-5"] == "NGUYEN^MINH^^^^^L"
    assert full["NTE-3"] == "Patient prefers Spanish. Bring food diary & glucose log."


def test_free_text_behind_the_codes_of_a_field_is_not_repeated():
    hidden = change(load(NEW), ("SCH", 11, "^^M30^20260921140000^^^for Elena^her cough"))

    assert values(hidden)["SCH-11"] == "^^M30^20260921140000"


def test_the_shape_of_a_message_holds_no_value():
    raw = insert(load(NEW), "PID", "ZCH|1|RIVERA|x")
    shape = shape_of(read(raw))

    assert shape[0] == ["MSH", [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]]
    assert shape[3] == ["ZCH", [1, 2, 3]]
    again = outline_of_shape(shape)
    assert [field.name for field in again[3].fields] == ["Field 1", "Field 2", "Field 3"]
    assert again[3].title == "Segment of the sender's own"
    assert {field.value for segment in again for field in segment.fields} == {""}


def test_a_bomb_is_outlined_in_part():
    raw = load(NEW) + b"\r".join(b"NTE|1||x" for _ in range(1900)) + b"\rNTE|1||" + b"~x" * 9000 + b"|" * 900
    segments = outline(read(raw))

    assert len(segments) == 200

from zoneinfo import ZoneInfo

import pytest

from hl7intake.findings import FindingCode
from hl7intake.rules import Rules
from tests.hl7intake.meanings import codes, scheduled
from tests.hl7intake.messages import GROUP, NEW, change, insert, load, without


@pytest.mark.parametrize(
    ("fields", "number"),
    [
        ({13: "(608)555-0142^PRN^PH~(608)555-0177^PRN^CP"}, "+16085550177"),
        ({13: "(608)555-0142^PRN^PH", 14: "(608)555-0177^WPN^CP"}, "+16085550177"),
        ({13: "(608)555-0142^PRN^PH", 40: "(608)555-0177^PRN^CP", 14: "(608)555-0199^WPN^CP"}, "+16085550177"),
        ({13: "(608)555-0142^PRN^PH", 14: "(608)555-0199^WPN^PH"}, "+16085550142"),
        ({13: "^PRN^CP^^1^608^5550177"}, "+16085550177"),
        ({13: "^PRN^CP^^^608^5550177"}, "+16085550177"),
        ({13: "^PRN^CP^^^^^^^^^608-555-0177"}, "+16085550177"),
        ({13: "(608)555-0142~(608)555-0177^^^MOBILE"}, "+16085550177"),
        ({13: "(608)555-0142~(608)555-0177^MOBILE"}, "+16085550177"),
        ({13: "(608)555-0177X123^WPN^PH"}, "+16085550177"),
        ({13: "(608)555-0177CCALL AFTER 5"}, "+16085550177"),
        ({13: "+44 20 7946 0123^PRN^CP"}, "+442079460123"),
        ({13: "271-9000^PRN^CP~(608)555-0177^PRN^PH"}, "+16085550177"),
        ({13: '""^PRN^PH~(608)555-0177^PRN^CP'}, "+16085550177"),
        ({13: "^NET^Internet^elena@example.org"}, None),
        ({13: "(608)555-0142^PRN^FX"}, None),
        ({13: ""}, None),
        ({13: '""'}, ""),
        ({13: '""', 14: "(608)555-0199^WPN^PH"}, "+16085550199"),
    ],
)
def test_the_number_to_text_is_chosen(fields, number):
    raw = change(load(NEW), *(("PID", field, text) for field, text in fields.items()))
    meaning = scheduled(raw)

    assert meaning.visit.people[0].phone == number
    assert FindingCode.PHONE_UNUSABLE not in codes(meaning)


@pytest.mark.parametrize("text", ["271-9000", "12345", "call the office 0000", "9" * 500])
def test_a_number_that_cannot_be_texted_is_accepted_flagged_and_not_replaced_by_an_old_one(text):
    meaning = scheduled(change(load(NEW), ("PID", 13, text)))

    assert meaning.visit.people[0].phone == ""
    assert FindingCode.PHONE_UNUSABLE in codes(meaning)


def test_local_numbers_are_read_in_the_organizations_country():
    rules = Rules(zone=ZoneInfo("Europe/London"), region="GB")

    assert (
        scheduled(change(load(NEW), ("PID", 13, "020 7946 0123^PRN^CP")), rules).visit.people[0].phone
        == "+442079460123"
    )


@pytest.mark.parametrize(
    ("text", "language", "is_known"),
    [("SPA", "es", True), ("es-MX", "es", True), ("1^Spanish", "es", True), ("VIE", "vi", True), ("", "", True),
     ("XYZ", "en", False)],
)  # fmt: skip
def test_the_language_is_read_from_many_spellings(text, language, is_known):
    meaning = scheduled(change(load(NEW), ("PID", 15, text)))

    assert meaning.visit.people[0].language == language
    assert (FindingCode.LANGUAGE_UNKNOWN not in codes(meaning)) == is_known


def test_the_medical_record_number_is_preferred_among_the_ids():
    raw = change(load(NEW), ("PID", 3, "A1^^^STATE^DL~E40021877^^^LAMNAMRN^MR"))

    assert scheduled(raw).visit.people[0].record_number == "E40021877"
    assert scheduled(change(load(NEW), ("PID", 3, ""), ("PID", 2, "P2"))).visit.people[0].record_number == "P2"
    assert scheduled(change(load(NEW), ("PID", 3, ""))).visit.people[0].record_number == "#1"


def test_a_message_without_patients_is_understood():
    assert scheduled(without(load(NEW), "PID", "PV1", "RGS")).visit.people == ()


def test_segments_in_another_order_and_unknown_ones_change_nothing():
    raw = insert(load(NEW), "SCH", "EVN|S12|20260914", "ZCH|1|x")
    lines = raw.decode().rstrip("\r").split("\r")
    swapped = "\r".join([*lines[:-3], lines[-2], lines[-3], lines[-1]]) + "\r"

    assert scheduled(swapped.encode()) == scheduled(load(NEW))


def test_an_interpreter_of_an_unnamed_language_is_still_one():
    assert scheduled(load(GROUP).replace(b"SPANISH", b"REMOTE")).visit.interpreter_language == "und"
    assert scheduled(load(GROUP).replace(b"AIP|2|A", b"AIP|2|D")).visit.interpreter_language == ""

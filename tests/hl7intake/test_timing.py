from datetime import UTC, datetime, timedelta

import pytest

from hl7intake.errors import AckCode
from hl7intake.findings import FindingCode
from hl7intake.rules import Rules
from tests.hl7intake.meanings import CHICAGO, NOW, codes, meaning_of, refusal, scheduled
from tests.hl7intake.messages import NEW, change, insert, load, without

# --- Start and end ------------------------------------------------------------------------------------------

TQ1 = "TQ1|1|||||%s|%s|%s"


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M").replace(tzinfo=CHICAGO).astimezone(UTC)


def without_starts() -> bytes:
    raw = change(load(NEW), ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, ""))
    return insert(raw, "AIP", "AIG|1|A|9001|2^RESOURCE||||", "AIL|2|A|LMFM|||")


PLACES = [
    ("TQ1", 7, "202609210100"),
    ("SCH", 11, "^^^202609210200"),
    ("AIS", 4, "202609210300"),
    ("AIP", 6, "202609210400"),
    ("AIL", 6, "202609210500"),
    ("AIG", 8, "202609210600"),
]


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_the_start_is_taken_from_the_most_trusted_place_that_has_one(first):
    raw = insert(without_starts(), "SCH", TQ1 % ("", "", ""))
    meaning = scheduled(change(raw, *PLACES[first:]))

    assert meaning.visit.starts_at == at(PLACES[first][2].removeprefix("^^^"))
    assert codes(meaning).count(FindingCode.START_CONFLICT) == len(PLACES) - first - 1


def test_a_conflict_names_both_places_and_both_times():
    meaning = scheduled(change(load(NEW), ("AIP", 6, "202609211415")))

    assert [(f.place, f.detail) for f in meaning.findings] == [("AIP-6", "SCH-11 20260921140000, AIP-6 202609211415")]


def test_the_order_of_places_for_the_start_can_be_chosen():
    rules = Rules(zone=CHICAGO, start_places=("AIS-4", "SCH-11"))

    assert scheduled(change(load(NEW), ("AIS", 4, "202609211515")), rules).visit.starts_at == at("202609211515")


def test_deleted_resources_do_not_say_when_the_appointment_is():
    raw = change(load(NEW), ("SCH", 11, ""), ("AIS", 2, "D"), ("AIS", 4, "202601010000"))

    assert scheduled(raw).visit.starts_at == at("202609211400")
    assert codes(scheduled(raw)) == []


def test_resources_of_a_deleted_group_do_not_either():
    old = ["RGS|1|D", "AIS|1|A|VV30^VIDEO VISIT 30|202601010000", "RGS|2|A"]
    raw = insert(without(change(load(NEW), ("SCH", 11, "")), "RGS"), "PV1", *old)

    assert scheduled(raw).visit.starts_at == at("202609211400")


@pytest.mark.parametrize("action", ["A", "U", "X", "C", ""])
def test_other_actions_leave_a_resource_booked(action):
    raw = change(load(NEW), ("SCH", 11, ""), ("AIS", 2, action), ("RGS", 2, action))

    assert scheduled(raw).visit.starts_at == at("202609211400")


def test_a_missing_start_is_refused_with_its_place():
    raw = change(load(NEW), ("SCH", 11, ""), ("AIS", 4, ""), ("AIP", 6, ""))
    refused = refusal(raw)

    assert (refused.code, refused.acknowledgment, refused.condition.code, refused.location) == (
        "hl7.start_missing",
        AckCode.ERROR,
        "101",
        "SCH^1^11",
    )


@pytest.mark.parametrize(
    "text", ["20260931140000", "20260921", "soon", "00000000000000", "99991231235959+9999", "٢٠٢٦٠٩٢١١٤٠٠"]
)
def test_an_unreadable_start_is_refused_unless_another_place_has_one(text):
    raw = change(load(NEW), ("SCH", 11, f"^^^{text}"))

    assert FindingCode.START_UNREADABLE in codes(scheduled(raw))
    refused = refusal(change(raw, ("AIS", 4, text), ("AIP", 6, "")))
    assert (refused.code, refused.condition.code) == ("hl7.start_unreadable", "102")


@pytest.mark.parametrize(
    ("length", "unit", "minutes", "is_guessed"),
    [
        ("30", "MIN", 30, False),
        ("379", "MIN^MINUTES", 379, False),
        ("30", "M^Minutes", 30, False),
        ("1800", "S", 30, False),
        ("1", "HR", 60, False),
        ("1.5", "h", 90, False),
        ("45", "XX^minutes", 45, False),
        ("1800", "", 30, True),
        ("20", "", 20, True),
        ("20", "furlong", 20, True),
    ],
)
def test_the_end_follows_from_the_duration_and_its_unit(length, unit, minutes, is_guessed):
    meaning = scheduled(change(load(NEW), ("SCH", 9, length), ("SCH", 10, unit)))

    assert meaning.visit.ends_at - meaning.visit.starts_at == timedelta(minutes=minutes)
    assert (FindingCode.LENGTH_UNIT_GUESSED in codes(meaning)) == is_guessed


def test_the_duration_is_looked_for_in_the_quantity_and_the_services_too():
    bare = change(load(NEW), ("SCH", 9, ""), ("SCH", 10, ""))
    by_quantity = change(bare, ("SCH", 11, "^^M45^20260921140000"))

    assert scheduled(by_quantity).visit.ends_at == at("202609211445")
    assert scheduled(change(bare, ("AIS", 7, "20"))).visit.ends_at == at("202609211420")


@pytest.mark.parametrize("length", ["", "0", "-5", "NaN", "1e9", "lots", "9" * 400])
def test_without_a_sensible_duration_half_an_hour_is_assumed_visibly(length):
    meaning = scheduled(change(load(NEW), ("SCH", 9, length), ("AIS", 7, "")))

    assert meaning.visit.ends_at == at("202609211430")
    assert FindingCode.LENGTH_MISSING in codes(meaning)


def test_a_stated_end_wins_over_the_duration():
    assert scheduled(change(load(NEW), ("SCH", 11, "^^^202609211400^202609211450"))).visit.ends_at == at("202609211450")
    raw = insert(load(NEW), "SCH", TQ1 % ("", "202609211400", "202609211455"))
    assert scheduled(raw).visit.ends_at == at("202609211455")


def test_an_end_before_the_start_is_refused():
    refused = refusal(change(load(NEW), ("SCH", 11, "^^^202609211400^202609211300")))

    assert (refused.code, refused.acknowledgment) == ("hl7.end_before_start", AckCode.ERROR)


@pytest.mark.parametrize("end", ["202709211430", "202609211400"])
def test_an_implausible_end_gives_way_to_the_duration(end):
    meaning = scheduled(change(load(NEW), ("SCH", 11, f"^^^202609211400^{end}")))

    assert meaning.visit.ends_at == at("202609211430")
    assert FindingCode.END_IMPLAUSIBLE in codes(meaning)


# --- Clocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "utc", "finding"),
    [
        ("202603080230", datetime(2026, 3, 8, 8, 30, tzinfo=UTC), FindingCode.CLOCK_GAP),  # becomes 03:30 CDT
        ("202611010130", datetime(2026, 11, 1, 6, 30, tzinfo=UTC), FindingCode.CLOCK_FOLD),  # the first 01:30, CDT
        ("202611010059", datetime(2026, 11, 1, 5, 59, tzinfo=UTC), None),
        ("202611010200", datetime(2026, 11, 1, 8, 0, tzinfo=UTC), None),
        ("2026110109", datetime(2026, 11, 1, 15, 0, tzinfo=UTC), None),
        ("20261101013000-0600", datetime(2026, 11, 1, 7, 30, tzinfo=UTC), None),
        ("202609211400+0215", datetime(2026, 9, 21, 11, 45, tzinfo=UTC), None),
        ("20260921140000.1234-0500^S", datetime(2026, 9, 21, 19, 0, tzinfo=UTC), None),
    ],
)
def test_local_times_become_instants_and_doubtful_ones_are_flagged(text, utc, finding):
    raw = change(load(NEW), ("SCH", 11, ""), ("AIP", 6, ""), ("AIS", 4, text))
    meaning = scheduled(raw)

    assert meaning.visit.starts_at == utc
    assert [code for code in codes(meaning) if code.startswith("clock")] == ([finding] if finding else [])
    assert meaning.start_text == text.partition("^")[0]


def test_a_message_sent_in_the_repeated_hour_keeps_its_place_in_the_order():
    raw = change(load(NEW), ("MSH", 7, "20261101013000"))

    first = meaning_of(raw, now=datetime(2026, 11, 1, 6, 30, 5, tzinfo=UTC))
    second = meaning_of(raw, now=datetime(2026, 11, 1, 7, 30, 5, tzinfo=UTC))
    assert second.visit.changed_at - first.visit.changed_at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", FindingCode.MESSAGE_TIME_MISSING),
        ("yesterday", FindingCode.MESSAGE_TIME_MISSING),
        ("20360101000000", FindingCode.MESSAGE_TIME_AHEAD),
    ],
)
def test_a_clock_that_cannot_be_believed_does_not_decide_the_order(text, code):
    meaning = scheduled(change(load(NEW), ("MSH", 7, text)))

    assert meaning.visit.changed_at == NOW
    assert code in codes(meaning)

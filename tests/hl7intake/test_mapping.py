import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.findings import SENTENCES, FindingCode
from hl7intake.mapping import Coverage, Ended, NotForUs, Reason, Scheduled, interpret
from hl7intake.reader import read
from hl7intake.rules import Rules
from tests.hl7intake import messages
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, NO_SHOW, PHONE_DELETED, change, insert, load, without
from visits.models import Visit
from visits.services.scheduling import ScheduledPerson, ScheduledVisit

CHICAGO = ZoneInfo("America/Chicago")
RULES = Rules(zone=CHICAGO, visit_types=frozenset({"VV30", "VGRP60"}))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def meaning_of(raw: bytes, rules: Rules = RULES, now: datetime = NOW):
    return interpret(read(raw), rules=rules, now=now)


def scheduled(raw: bytes, rules: Rules = RULES) -> Scheduled:
    meaning = meaning_of(raw, rules)
    assert isinstance(meaning, Scheduled)
    return meaning


def codes(meaning) -> list[FindingCode]:
    return [finding.code for finding in meaning.findings]


def refusal(raw: bytes) -> MessageRefused:
    with pytest.raises(MessageRefused) as refused:
        meaning_of(raw)
    return refused.value


# --- The six messages, exactly ---------------------------------------------------------------------------


def test_a_new_video_visit_is_understood():
    assert meaning_of(load(NEW)) == Scheduled(
        visit=ScheduledVisit(
            session_id="482200417",
            changed_at=datetime(2026, 9, 14, 15, 30, 12, tzinfo=UTC),
            starts_at=datetime(2026, 9, 21, 19, 0, tzinfo=UTC),
            ends_at=datetime(2026, 9, 21, 19, 30, tzinfo=UTC),
            time_zone="America/Chicago",
            visit_type="VV30",
            visit_type_name="VIDEO VISIT 30",
            department="LMFM",
            provider_ids=("1180",),
            people=(ScheduledPerson(record_number="E40021877", phone="+16085550177", language="en"),),
        ),
        coverage=Coverage.VIRTUAL,
        start_text="20260921140000",
        status="Booked",
    )


def test_a_group_visit_with_an_interpreter_is_understood():
    assert meaning_of(load(GROUP)) == Scheduled(
        visit=ScheduledVisit(
            session_id="482200502",
            changed_at=datetime(2026, 9, 14, 16, 5, tzinfo=UTC),
            starts_at=datetime(2026, 9, 22, 14, 0, tzinfo=UTC),
            ends_at=datetime(2026, 9, 22, 15, 0, tzinfo=UTC),
            time_zone="America/Chicago",
            visit_type="VGRP60",
            visit_type_name="VIDEO GROUP VISIT 60",
            department="LMEND",
            is_group=True,
            interpreter_language="es",
            provider_ids=("2207",),
            people=(ScheduledPerson(record_number="E40030551", phone="+16085550163", language="es"),),
        ),
        coverage=Coverage.VIRTUAL,
        start_text="20260922090000",
        status="Booked",
    )


def test_a_reschedule_past_the_end_of_daylight_saving_in_minutes_only_is_understood():
    visit = scheduled(load(MOVED)).visit

    assert visit.starts_at == datetime(2026, 11, 2, 15, 30, tzinfo=UTC)
    assert visit.ends_at == datetime(2026, 11, 2, 16, 0, tzinfo=UTC)
    assert visit.changed_at == datetime(2026, 9, 18, 13, 15, 44, tzinfo=UTC)
    assert codes(scheduled(load(MOVED))) == []


def test_a_deleted_phone_is_told_from_one_that_is_not_mentioned():
    deleted = scheduled(load(PHONE_DELETED))
    unmentioned = scheduled(change(load(PHONE_DELETED), ("PID", 13, "")))

    assert deleted.visit.people == (ScheduledPerson(record_number="E40021877", phone="", language="en"),)
    assert unmentioned.visit.people[0].phone is None
    assert deleted.visit.department == "LMFM"


def test_a_cancellation_is_understood():
    assert meaning_of(load(CANCELLED)) == Ended(
        session_id="482200417",
        state=Visit.State.CANCELLED,
        changed_at=datetime(2026, 11, 1, 22, 45, 2, tzinfo=UTC),
        status="Cancelled",
    )


def test_a_no_show_is_understood():
    assert meaning_of(load(NO_SHOW)) == Ended(
        session_id="482200502",
        state=Visit.State.NO_SHOW,
        changed_at=datetime(2026, 9, 22, 15, 15, tzinfo=UTC),
        status="Noshow",
    )


# --- Events -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["S12", "S13", "S14", "S18", "S19", "S20", "S21", "S22"])
def test_events_that_leave_an_appointment_schedule_it(event):
    assert isinstance(meaning_of(change(load(NEW), ("MSH", 9, f"SIU^{event}^SIU_S12"))), Scheduled)


@pytest.mark.parametrize(
    ("event", "state"), [("S15", "cancelled"), ("S16", "cancelled"), ("S17", "cancelled"), ("S26", "no_show")]
)
def test_events_that_end_an_appointment_end_it(event, state):
    assert meaning_of(change(load(NEW), ("MSH", 9, f"SIU^{event}"))).state == state


@pytest.mark.parametrize("event", ["S23", "S24"])
def test_free_slots_are_no_appointments(event):
    assert meaning_of(change(load(NEW), ("MSH", 9, f"SIU^{event}"))) == NotForUs(reason=Reason.SLOT)


@pytest.mark.parametrize(
    ("event", "condition"),
    [
        ("ADT^A04", Condition.UNSUPPORTED_TYPE),
        ("ADT^S12", Condition.UNSUPPORTED_TYPE),
        ("", Condition.UNSUPPORTED_TYPE),
        ("SRM^S01", Condition.UNSUPPORTED_TYPE),
        ("SIU", Condition.UNSUPPORTED_EVENT),
        ("SIU^S01", Condition.UNSUPPORTED_EVENT),
        ("SIU^S11", Condition.UNSUPPORTED_EVENT),
        ("SIU^S25", Condition.UNSUPPORTED_EVENT),
        ("SIU^Z02", Condition.UNSUPPORTED_EVENT),
    ],
)
def test_other_messages_are_refused_for_good_even_with_an_appointment_inside(event, condition):
    refused = refusal(change(load(NEW), ("MSH", 9, event)))

    assert (refused.acknowledgment, refused.condition, refused.location) == (AckCode.REJECT, condition, "MSH^1^9")


@pytest.mark.parametrize("control_id", ["", " ", "x" * 200])
def test_a_message_needs_a_usable_control_id(control_id):
    assert refusal(change(load(NEW), ("MSH", 10, control_id))).location == "MSH^1^10"


@pytest.mark.parametrize(
    ("event", "status", "is_conflict"),
    [
        ("S14", "3^CAN", True),
        ("S14", "cancelled", True),
        ("S12", "Booked", False),
        ("S12", "Complete", False),
        ("S15", "1^SCH", True),
        ("S15", "", False),
        ("S26", "NoShow", False),
    ],
)
def test_the_event_wins_over_the_status_and_the_contradiction_is_seen(event, status, is_conflict):
    meaning = meaning_of(change(load(NEW), ("MSH", 9, f"SIU^{event}"), ("SCH", 25, status)))

    assert isinstance(meaning, Ended if event in {"S15", "S26"} else Scheduled)
    assert (FindingCode.STATUS_CONFLICT in codes(meaning)) == is_conflict


# --- Ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visit_number", "filler", "placer", "expected", "is_conflict"),
    [
        ("11", "11", "11", "11", False),
        ("11", "22", "", "11", True),
        ("", "22", "33", "22", False),
        ("", "", "33", "33", False),
        ("11^^^LAMNA", "11^EPIC", "", "11", False),
    ],
)
def test_the_session_is_the_visit_number_else_the_fillers_else_the_placers_id(
    visit_number, filler, placer, expected, is_conflict
):
    raw = change(load(NEW), ("PV1", 19, visit_number), ("SCH", 2, filler), ("SCH", 1, placer))
    meaning = scheduled(raw)

    assert meaning.visit.session_id == expected
    assert (FindingCode.SESSION_ID_CONFLICT in codes(meaning)) == is_conflict


def test_the_order_of_places_for_the_session_can_be_chosen():
    rules = Rules(zone=CHICAGO, session_id_places=("SCH-2", "PV1-19"))

    assert scheduled(change(load(NEW), ("PV1", 19, "11"), ("SCH", 2, "22")), rules).visit.session_id == "22"


def test_several_patients_with_a_number_each_share_the_appointments_id():
    second = ["PID|2||E9^^^LAMNAMRN^MR|||||||||||||", "PV1|2|O|LMFM||||||||||||||||9999"]
    meaning = scheduled(insert(load(NEW), "PV1", *second))

    assert meaning.visit.session_id == "482200417"
    assert [person.record_number for person in meaning.visit.people] == ["E40021877", "E9"]
    assert meaning.visit.is_group


def test_an_appointment_without_any_id_is_refused():
    refused = refusal(change(load(NEW), ("PV1", 19, ""), ("SCH", 1, ""), ("SCH", 2, "")))

    assert (refused.acknowledgment, refused.location) == (AckCode.ERROR, "SCH^1^2")
    assert refused.condition is Condition.REQUIRED_FIELD


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


# --- Patients -----------------------------------------------------------------------------------------------


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


# --- Virtual or not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "departments", "coverage"),
    [
        ((), (), Coverage.UNCONFIGURED),
        (("vv30",), (), Coverage.VIRTUAL),
        (("OFFICE",), (), Coverage.OTHER),
        ((), ("LMFM",), Coverage.VIRTUAL),
        ((), ("LMEND",), Coverage.OTHER),
        (("OFFICE",), ("LMFM",), Coverage.VIRTUAL),
        (("OFFICE",), ("LMEND",), Coverage.OTHER),
    ],
)
def test_visit_types_and_departments_decide_what_is_virtual(types, departments, coverage):
    rules = Rules(zone=CHICAGO, visit_types=frozenset(types), departments=frozenset(departments))

    assert scheduled(load(NEW), rules).coverage is coverage


def test_a_service_or_a_location_is_enough():
    by_service = change(load(NEW), ("SCH", 8, "OFFICE"))
    assert scheduled(by_service).coverage is Coverage.VIRTUAL

    rules = Rules(zone=CHICAGO, departments=frozenset({"LMEND"}))
    assert scheduled(change(load(NEW), ("PV1", 3, "LMEND"), ("AIL", 3, "LMFM")), rules).coverage is Coverage.VIRTUAL
    assert scheduled(change(load(NEW), ("AIL", 3, "^7^^LMEND")), rules).coverage is Coverage.VIRTUAL


def test_a_message_that_names_no_visit_type_leaves_the_question_open():
    raw = change(load(NEW), ("SCH", 8, ""), ("AIS", 3, ""))

    assert scheduled(raw).coverage is Coverage.UNSTATED
    both = Rules(zone=CHICAGO, visit_types=frozenset({"VV30"}), departments=frozenset({"LMEND"}))
    assert scheduled(raw, both).coverage is Coverage.UNSTATED


def test_codes_longer_than_our_columns_are_cut():
    visit = scheduled(change(load(NEW), ("SCH", 8, f"{'V' * 90}^{'N' * 300}"), ("AIL", 3, "D" * 90))).visit

    assert (len(visit.visit_type), len(visit.visit_type_name), len(visit.department)) == (60, 120, 60)


# --- Anything at all ----------------------------------------------------------------------------------------


def test_two_thousand_mutations_never_raise_anything_but_a_refusal():
    chance = random.Random(20261124)  # noqa: S311 - a seed, not a secret
    seeds = [load(name) for name in messages.NAMES]
    outcomes = {"understood": 0, "refused": 0}
    for _ in range(2000):
        raw = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(raw))
            kind = chance.randrange(4)
            if kind == 0:
                raw[place] = chance.randrange(256)
            elif kind == 1:
                del raw[place : place + chance.randint(1, 30)]
            elif kind == 2:
                raw[place:place] = chance.choice([b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b'""', b"\x0b", b"\xff"])
            else:
                raw[place:place] = raw[: chance.randint(1, 60)]
            raw = raw or bytearray(b"M")
        try:
            meaning_of(bytes(raw))
            outcomes["understood"] += 1
        except MessageRefused:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 200


def test_every_finding_has_a_sentence():
    assert set(SENTENCES) == set(FindingCode)

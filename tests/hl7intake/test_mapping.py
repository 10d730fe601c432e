import random
from datetime import UTC, datetime

import pytest

from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.findings import SENTENCES, FindingCode
from hl7intake.mapping import Coverage, Ended, NotForUs, Reason, Scheduled
from hl7intake.rules import Rules
from tests.hl7intake import messages
from tests.hl7intake.meanings import CHICAGO, codes, meaning_of, refusal, scheduled
from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, NO_SHOW, PHONE_DELETED, change, insert, load
from visits.models import Visit
from visits.services.scheduling import ScheduledPerson, ScheduledVisit

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

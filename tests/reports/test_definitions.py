"""The definitions at their edges, without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from reports.definitions import (
    GRACE,
    Attendance,
    Change,
    MicrosoftStatus,
    Planned,
    Status,
    measure,
    microsoft_status,
    seconds,
    status_of,
)

START = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
ENDS = START + timedelta(minutes=30)
CLOSED = ENDS + GRACE
LOBBY, IN, LEFT, OUT = "lobby_entered", "connected", "left_lobby", "disconnected"


def told(*lines: str) -> Attendance:
    """Read lines like ``72 P1 connected``: seconds, person (``D…`` is a provider), what."""
    changes = []
    for line in lines:
        at, person, kind = line.split()
        moment = START + timedelta(seconds=float(at))
        changes.append(Change(kind=kind, at=moment, person=person, is_provider=person.startswith("D")))
    return measure(changes)


def status(attendance: Attendance, *, now: datetime = CLOSED, ends_at: datetime | None = ENDS, **planned: bool) -> str:
    return status_of(attendance, Planned(ends_at=ends_at, **planned), now=now)


MET = told(f"0 P1 {LOBBY}", f"60 D1 {IN}", f"72 P1 {IN}", f"900 P1 {OUT}", f"960 D1 {OUT}")
PROVIDER_ALONE = told(f"0 D1 {IN}", f"60 D1 {OUT}")
PATIENT_IN_CALL = told(f"0 P1 {IN}", f"60 P1 {OUT}")
PATIENT_IN_LOBBY = told(f"0 P1 {LOBBY}", f"60 P1 {LEFT}")
ONE_AFTER_THE_OTHER = told(f"0 P1 {IN}", f"60 P1 {OUT}", f"60 D1 {IN}", f"90 D1 {OUT}")
NOT_LET_IN = told(f"0 P1 {LOBBY}", f"10 D1 {IN}", f"60 D1 {OUT}", f"90 P1 {LEFT}")
NOBODY = told()


@pytest.mark.parametrize(
    ("attendance", "expected", "microsofts"),
    [
        (MET, Status.COMPLETED, MicrosoftStatus.COMPLETED),
        (PROVIDER_ALONE, Status.PATIENT_NO_SHOW, MicrosoftStatus.NO_SHOW),
        (PATIENT_IN_CALL, Status.PROVIDER_NO_SHOW, MicrosoftStatus.COMPLETED),
        (PATIENT_IN_LOBBY, Status.WAITED_ALONE, MicrosoftStatus.NOT_LISTED),
        (ONE_AFTER_THE_OTHER, Status.MISSED, MicrosoftStatus.COMPLETED),
        (NOT_LET_IN, Status.MISSED, MicrosoftStatus.NO_SHOW),
        (NOBODY, Status.NOBODY_JOINED, MicrosoftStatus.NOT_LISTED),
        (told(f"0 D1 {IN}", f"5 P1 {IN}"), Status.IN_PROGRESS, MicrosoftStatus.NOT_LISTED),
        (told(f"0 P1 {LOBBY}"), Status.IN_PROGRESS, MicrosoftStatus.NOT_LISTED),
    ],
)
def test_how_a_visit_went_and_what_microsoft_says_of_it(attendance, expected, microsofts):
    assert status(attendance) == expected
    assert microsoft_status(attendance) == microsofts


@pytest.mark.parametrize("attendance", [PROVIDER_ALONE, PATIENT_IN_CALL, PATIENT_IN_LOBBY, ONE_AFTER_THE_OTHER, NOBODY])
def test_a_failing_system_is_told_apart_from_people_who_stay_away(attendance):
    assert status(attendance, has_error=True) == Status.TECHNICAL_FAILURE


def test_who_met_in_spite_of_an_error_has_met():
    assert status(MET, has_error=True) == Status.COMPLETED


@pytest.mark.parametrize("attendance", [PROVIDER_ALONE, PATIENT_IN_LOBBY, NOBODY])
def test_until_the_time_is_over_people_may_still_come(attendance):
    assert status(attendance, now=CLOSED - timedelta(microseconds=1)) == Status.SCHEDULED
    assert status(attendance, now=CLOSED) != Status.SCHEDULED


def test_a_visit_without_a_planned_end_is_judged_at_once():
    assert status(PROVIDER_ALONE, ends_at=None, now=START) == Status.PATIENT_NO_SHOW


def test_a_visit_that_was_held_is_completed_at_once_and_whatever_epic_says():
    assert status(MET, now=START, is_cancelled=True) == Status.COMPLETED


def test_epic_settles_only_visits_to_which_nobody_came():
    assert status(NOBODY, now=START, is_cancelled=True) == Status.CANCELLED
    assert status(NOBODY, now=START, is_no_show=True) == Status.PATIENT_NO_SHOW
    assert status(PATIENT_IN_LOBBY, is_no_show=True) == Status.WAITED_ALONE
    assert status(PATIENT_IN_LOBBY, is_cancelled=True) == Status.WAITED_ALONE


def test_both_counts_of_people_differ_when_one_comes_as_another_goes():
    seen = told(f"0 D1 {IN}", f"1 P1 {IN}", f"5 P1 {OUT}", f"5 P2 {IN}", f"9 P2 {OUT}", f"9 D1 {OUT}")
    assert (seen.peak, seen.total) == (2, 3)


def test_coming_back_is_the_same_person():
    seen = told(f"0 D1 {IN}", f"1 P1 {IN}", f"5 P1 {OUT}", f"6 P1 {IN}", f"9 P1 {OUT}", f"9 D1 {OUT}")
    assert (seen.peak, seen.total, seconds(seen.duration)) == (2, 2, 8)


def test_the_duration_runs_from_the_first_moment_together_to_the_last_person_out():
    seen = told(f"0 D1 {IN}", f"30 P1 {IN}", f"31 D1 {OUT}", f"600 D1 {IN}", f"700 P1 {OUT}", f"705.9 D1 {OUT}")
    assert seen.start == START + timedelta(seconds=30)
    assert seconds(seen.duration) == 675


def test_without_a_moment_together_there_is_no_duration_and_the_start_is_the_first_activity():
    assert ONE_AFTER_THE_OTHER.duration == timedelta()
    assert NOT_LET_IN.start == START
    assert NOBODY.start is None


def test_microsofts_wait_ends_with_anybody_let_in_and_ours_is_everybodys_own():
    seen = told(f"0 P1 {LOBBY}", f"10 P2 {LOBBY}", f"20 D1 {IN}", f"30 P2 {IN}", f"50 P1 {IN}")
    assert seen.lobby_wait == timedelta(seconds=30)
    assert seen.waits == (timedelta(seconds=20), timedelta(seconds=50))
    assert seen.gave_up == 0


def test_who_leaves_the_lobby_gives_up_and_has_no_wait_but_begins_microsofts():
    seen = told(f"0 P1 {LOBBY}", f"40 P1 {LEFT}", f"50 D1 {IN}", f"60 P2 {LOBBY}", f"90 P2 {IN}")
    assert (seen.gave_up, seen.lobby_wait, seen.waits) == (1, timedelta(seconds=90), (timedelta(seconds=30),))


def test_who_left_the_lobby_and_was_let_in_later_waited_from_the_first_arrival():
    seen = told(f"0 P1 {LOBBY}", f"40 P1 {LEFT}", f"100 P1 {LOBBY}", f"130 P1 {IN}")
    assert (seen.gave_up, seen.waits) == (0, (timedelta(seconds=130),))


def test_who_is_still_in_the_lobby_has_neither_waited_nor_given_up():
    seen = told(f"0 P1 {LOBBY}", f"10 D1 {IN}")
    assert (seen.lobby_wait, seen.waits, seen.gave_up) == (None, (), 0)
    assert seen.waiting_since == START


def test_being_let_in_within_the_second_is_a_wait_of_zero():
    seen = told(f"0 P1 {LOBBY}", f"0.4 P1 {IN}")
    assert seen.lobby_wait is not None
    assert seconds(seen.lobby_wait) == 0


@pytest.mark.parametrize(
    ("length", "whole"), [(timedelta(seconds=1.999), 1), (timedelta(), 0), (timedelta(seconds=-3), 0)]
)
def test_seconds_are_cut_and_never_negative(length, whole):
    assert seconds(length) == whole

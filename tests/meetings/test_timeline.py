import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from meetings.models import Observation, Participant, PresenceEvent
from meetings.services.timeline import Sighting, history_of

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
Kind, Event, State = Observation.Kind, PresenceEvent.Kind, Participant.State


def at(second):
    return START + timedelta(seconds=second)


def seen(second, kind, device="phone"):
    return Sighting(device=device, kind=kind, at=at(second))


def told(sightings, *ends):
    history = history_of(sightings, call_ends=[at(end) for end in ends])
    return [(event.kind, int((event.at - START).total_seconds())) for event in history.transitions], history.state


def test_waiting_admission_and_leaving_are_three_changes():
    events = [seen(0, Kind.LOBBY), seen(40, Kind.IN_CALL), seen(600, Kind.GONE)]
    assert told(events) == (
        [(Event.LOBBY_ENTERED, 0), (Event.CONNECTED, 40), (Event.DISCONNECTED, 600)],
        State.LEFT,
    )


def test_giving_up_in_the_lobby_is_no_disconnect():
    assert told([seen(0, Kind.LOBBY), seen(9, Kind.GONE)])[0] == [(Event.LOBBY_ENTERED, 0), (Event.LEFT_LOBBY, 9)]


def test_a_second_device_is_no_second_connect_and_the_last_to_leave_disconnects():
    events = [
        seen(0, Kind.IN_CALL, "phone"),
        seen(5, Kind.IN_CALL, "laptop"),
        seen(9, Kind.GONE, "phone"),
        seen(20, Kind.GONE, "laptop"),
    ]
    assert told(events)[0] == [(Event.CONNECTED, 0), (Event.DISCONNECTED, 20)]


def test_changing_devices_in_one_instant_is_no_absence():
    events = [seen(0, Kind.IN_CALL, "phone"), seen(9, Kind.GONE, "phone"), seen(9, Kind.IN_CALL, "laptop")]
    assert told(events) == ([(Event.CONNECTED, 0)], State.CONNECTED)


def test_only_the_outcome_of_an_instant_counts():
    assert told([seen(0, Kind.LOBBY), seen(0, Kind.IN_CALL)]) == ([(Event.CONNECTED, 0)], State.CONNECTED)
    assert told([seen(0, Kind.IN_CALL), seen(0, Kind.GONE)]) == ([], State.LEFT)


def test_somebody_sent_back_to_the_lobby_is_disconnected_and_waits():
    assert told([seen(0, Kind.IN_CALL), seen(9, Kind.LOBBY)])[0] == [
        (Event.CONNECTED, 0),
        (Event.DISCONNECTED, 9),
        (Event.LOBBY_ENTERED, 9),
    ]


def test_the_end_of_the_meeting_closes_everything():
    events = [seen(0, Kind.IN_CALL, "phone"), seen(1, Kind.LOBBY, "laptop")]
    assert told(events, 30) == ([(Event.CONNECTED, 0), (Event.DISCONNECTED, 30)], State.LEFT)


def test_somebody_who_comes_back_after_the_end_is_connected_again():
    assert told([seen(0, Kind.IN_CALL), seen(50, Kind.IN_CALL)], 30)[1] == State.CONNECTED


def test_an_end_before_anybody_came_is_nothing():
    assert told([], 30) == ([], State.EXPECTED)


def test_leaving_without_having_come_is_no_disconnect():
    assert told([seen(5, Kind.GONE)]) == ([], State.LEFT)


sightings = st.lists(
    st.builds(seen, st.integers(0, 30), st.sampled_from(list(Kind)), st.sampled_from(["phone", "laptop", "tablet"])),
    max_size=12,
)


@given(sightings, st.lists(st.integers(0, 30), max_size=2), st.randoms())
def test_order_and_repetition_do_not_change_the_history(events, ends, random):
    shuffled = [*events, *random.choices(events, k=len(events))] if events else []
    random.shuffle(shuffled)
    assert told(shuffled, *ends, *ends) == told(events, *ends)


@given(sightings, st.lists(st.integers(0, 30), max_size=2))
def test_connects_and_disconnects_alternate_and_match_the_state(events, ends):
    kinds, state = told(events, *ends)
    calls = [kind for kind, _ in kinds if kind in (Event.CONNECTED, Event.DISCONNECTED)]
    assert calls == list(itertools.islice(itertools.cycle([Event.CONNECTED, Event.DISCONNECTED]), len(calls)))
    assert (state == State.CONNECTED) == bool(calls and calls[-1] == Event.CONNECTED)
    assert [second for _, second in kinds] == sorted(second for _, second in kinds)

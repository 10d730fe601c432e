from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from meetings.services import intervals
from meetings.services.intervals import Interval

MINUTE = timedelta(minutes=1)
NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)

some_intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: between(min(pair), max(pair))), max_size=8
)


def between(start: float, end: float) -> Interval:
    return Interval(NINE + start * MINUTE, NINE + end * MINUTE)


def minutes(stretches: list[Interval]) -> set[int]:
    return {
        minute for minute in range(60) for stretch in stretches if stretch.start <= NINE + minute * MINUTE < stretch.end
    }


def test_what_touches_is_one_stretch():
    assert intervals.union([between(10, 20), between(0, 10), between(30, 30)]) == [between(0, 20)]


def test_what_is_short_does_not_count_as_missing():
    known = [between(1, 10), between(12, 19)]
    assert intervals.missing([between(0, 20)], known, tolerance=MINUTE) == [between(10, 12)]


def test_a_short_stretch_counts_when_nothing_is_near():
    wanted = [between(0, 0.5), between(10, 10.5)]
    assert intervals.lonely(wanted, [between(11, 20)], tolerance=MINUTE) == [between(0, 0.5)]


@given(some_intervals, some_intervals)
def test_they_are_sets_of_time(ours, others):
    assert minutes(intervals.union(ours)) == minutes(ours)
    assert minutes(intervals.subtract(ours, others)) == minutes(ours) - minutes(others)
    assert minutes(intervals.within(ours, others)) == minutes(ours) & minutes(others)
    assert intervals.length(ours) == len(minutes(ours)) * MINUTE

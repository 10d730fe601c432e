"""Graph's news comes twice, in another order or not at all: in the end Epic knows what Teams' own report says."""

import json
from collections import defaultdict

import pytest

from tests.waiting import until

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture
def play(stack, twin):
    """Play a visit to its end while Graph's notifications have a fault; return what it says of itself."""

    def played(fault):
        twin.set_faults({"graph.notifications": fault})
        ended = stack.manage("play_visit", "--json", "--until", "Both leave")
        twin.set_faults({})
        assert ended.returncode == 0, ended.stdout
        return json.loads(ended.stdout)

    return played


def told_of_each(twin, after):
    """Return what Epic's own ledger has about each person."""
    told = defaultdict(list)
    for entry in twin.seen("epic", "connection_status", after=after):
        told[entry["data"]["external_id"]].append(entry["data"]["status"])
    return sorted(told.values())


def is_in_order(statuses):
    """Whether somebody came and left, once or again and again, and is not left connected."""
    return statuses[-1] == "2" and statuses == ["1", "2"] * (len(statuses) // 2)


@pytest.mark.parametrize("fault", ["duplicate", "reorder"])
def test_news_that_comes_twice_or_in_another_order_leaves_epic_right(play, twin, after, fault):
    play(fault)
    twin.wait("epic", "connection_status", after=after, count=4)
    until(lambda: [is_in_order(told) for told in told_of_each(twin, after)] == [True, True])


def test_what_nobody_told_us_is_taken_from_the_attendance_report(play, stack, twin, after):
    visit = play("drop")
    assert told_of_each(twin, after) == []
    reconciled = stack.manage("reconcile_visits", "--visit", visit["reference"])
    assert reconciled.returncode == 0, reconciled.stderr
    until(lambda: told_of_each(twin, after) == [["1", "2"], ["1", "2"]])
    again = stack.manage("reconcile_visits", "--visit", visit["reference"])
    assert "4 corrected" in again.stdout
    assert told_of_each(twin, after) == [["1", "2"], ["1", "2"]]

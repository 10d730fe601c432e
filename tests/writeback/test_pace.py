from writeback.services.pace import Pace


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_no_more_begin_within_a_second_than_allowed():
    clock = Clock()
    pace, begun = Pace(20, clock=clock), 0
    for _ in range(200):
        count = pace.allowed(16)
        pace.take(count)
        begun += count
        clock.now += 0.005
    assert 20 <= begun <= 22


def test_after_a_rest_only_a_tenth_begins_at_once():
    clock = Clock()
    pace = Pace(20, clock=clock)
    pace.take(pace.allowed(16))
    clock.now += 3600
    assert pace.allowed(16) == 2


def test_it_says_how_long_to_wait():
    clock = Clock()
    pace = Pace(1, clock=clock)
    pace.take(pace.allowed(5))
    assert pace.allowed(5) == 0
    assert pace.seconds_to_next() == 1.0
    clock.now += 1
    assert pace.allowed(5) == 1

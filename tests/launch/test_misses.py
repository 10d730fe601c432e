import logging

import pytest

from core.errors import UpstreamUnavailable
from launch.services import misses

HERE, THERE = "192.0.2.7", "198.51.100.1"


def test_an_address_is_blocked_after_its_twenty_first_miss_and_no_other_is():
    for number in range(1, misses.MOST_IN_A_MINUTE + 1):
        assert misses.count_miss(HERE) == number
    assert not misses.is_blocked(HERE)
    misses.count_miss(HERE)
    assert misses.is_blocked(HERE)
    assert not misses.is_blocked(THERE)


def test_every_counter_ends_after_a_minute(redis_client):
    misses.count_miss(HERE)
    misses.count_miss(HERE)
    keys = redis_client.keys("join:misses:*")
    assert len(keys) == 2
    assert all(0 < redis_client.ttl(key) <= 60 for key in keys)
    assert not any(HERE.encode() in key for key in keys)


def test_guessing_from_everywhere_is_an_alarm_once(caplog, monkeypatch):
    monkeypatch.setattr(misses, "MANY_IN_A_MINUTE", 3)
    with caplog.at_level(logging.ERROR):
        for number in range(5):
            misses.count_miss(f"192.0.2.{number}")
    assert [record.getMessage() for record in caplog.records] == ["join links are being guessed"]


@pytest.mark.parametrize("act", [misses.is_blocked, misses.count_miss])
def test_nothing_is_let_pass_while_redis_is_away(act, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    with pytest.raises(UpstreamUnavailable) as caught:
        act(HERE)
    assert caught.value.code == "join.not_counted"

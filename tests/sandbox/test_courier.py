import threading
import time

import pytest

from sandbox.courier import Courier, Policy

PATIENT = Policy(tries=5, age_seconds=60)
SECONDS = 5


@pytest.fixture
def courier() -> Courier:
    return Courier(workers=2)


def test_letters_of_one_addressee_keep_their_order(courier):
    arrived: list[int] = []
    done = threading.Event()

    def letter(number: int) -> bool:
        arrived.append(number)
        if number == 19:
            done.set()
        return True

    for number in range(20):
        courier.send("one", lambda number=number: letter(number), policy=PATIENT)

    assert done.wait(SECONDS)
    assert arrived == list(range(20))


def test_a_refused_letter_is_repeated_before_the_next_one(courier):
    arrived: list[str] = []
    done = threading.Event()

    def refused_once() -> bool:
        arrived.append("first")
        return len(arrived) > 1

    def last() -> bool:
        arrived.append("second")
        done.set()
        return True

    courier.send("one", refused_once, policy=PATIENT)
    courier.send("one", last, policy=PATIENT)

    assert done.wait(SECONDS)
    assert arrived == ["first", "first", "second"]


def test_a_slow_addressee_holds_up_nobody_else(courier):
    release, done = threading.Event(), threading.Event()
    courier.send("slow", lambda: release.wait(SECONDS), policy=PATIENT)
    courier.send("quick", lambda: not done.set(), policy=PATIENT)

    assert done.wait(SECONDS)
    release.set()


def test_a_letter_that_nobody_takes_is_given_up(courier):
    tries: list[int] = []
    done = threading.Event()

    def refused() -> bool:
        tries.append(1)
        return False

    courier.send("one", refused, policy=Policy(tries=2, age_seconds=60))
    courier.send("one", lambda: not done.set(), policy=PATIENT)

    assert done.wait(SECONDS)
    assert len(tries) == 2


def test_a_letter_that_breaks_does_not_stop_the_courier(courier, caplog):
    done = threading.Event()

    def broken() -> bool:
        raise RuntimeError("broken letter")

    courier.send("one", broken, policy=Policy(tries=1, age_seconds=60))
    courier.send("one", lambda: not done.set(), policy=PATIENT)

    assert done.wait(SECONDS)
    assert "broken letter" in caplog.text


def test_a_delay_is_kept(courier):
    done = threading.Event()
    started = time.monotonic()

    courier.send("one", lambda: not done.set(), policy=PATIENT, delay=0.3)

    assert done.wait(SECONDS)
    assert time.monotonic() - started >= 0.3

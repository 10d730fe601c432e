"""Messages have the structure of the examples of Epic's interface."""

import pytest

from tests.hl7intake.messages import CANCELLED, GROUP, MOVED, NEW, NO_SHOW, load

pytestmark = pytest.mark.xdist_group("sandbox")

Segments = list[list[str]]

# What differs from visit to visit: times, ids, the visit type's and the people's names.
VARIABLE = {
    "MSH": {6, 9}, "SCH": {1, 2, 8, 9, 11}, "PID": {3, 5, 7, 8, 13, 15}, "PV1": {3, 7, 19},
    "AIS": {3, 4, 7}, "AIL": {3}, "AIP": {3, 6, 9},
}  # fmt: skip


@pytest.fixture
def play(twin, engine):
    """Book a visit, do something to it, and return the message that Epic sent last."""

    def sent(act: str = "", **visit: object) -> Segments:
        answer = twin.http.post(f"{twin.url}/control/visits", json=visit, timeout=30).json()
        if act:
            change = {"starts_at": "2026-11-02T09:30:00-06:00"}
            twin.http.post(f"{twin.url}/control/visits/{answer['csn']}/{act}", json=change, timeout=30)
        entries = twin.entries("hl7", "sent", key=answer["csn"])
        return fields(entries[-1]["data"]["message"])

    return sent


def fields(message: str) -> Segments:
    assert message.endswith("\r")
    return [segment.split("|") for segment in message.removesuffix("\r").split("\r")]


def example(name: str) -> Segments:
    return fields(load(name).decode())


def check_structure(ours: Segments, theirs: Segments) -> None:
    assert [segment[0] for segment in ours] == [segment[0] for segment in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert len(mine) == len(other), mine[0]
        for number, (here, there) in enumerate(zip(mine, other, strict=True)):
            if number in VARIABLE.get(mine[0], set()):
                assert bool(here) == bool(there), f"{mine[0]} field {number}"
            else:
                assert here.rstrip("^") == there.rstrip("^"), f"{mine[0]} field {number}"


@pytest.mark.parametrize(
    ("act", "name"), [("", NEW), ("move", MOVED), ("cancel", CANCELLED), ("no_show", NO_SHOW)], ids=str
)
def test_a_message_is_built_as_epics_are(play, act, name):
    check_structure(play(act, patient="rivera", provider="okafor"), example(name))


def test_the_patient_is_told_of_as_in_the_example(play):
    (ours,) = (segment for segment in play(patient="rivera") if segment[0] == "PID")
    (theirs,) = (segment for segment in example(NEW) if segment[0] == "PID")
    assert ours[13] == theirs[13]
    assert (ours[7], ours[8], ours[15]) == (theirs[7], theirs[8], theirs[15])


def test_somebody_with_a_mobile_alone_has_one_phone_and_a_language(play):
    (ours,) = (segment for segment in play(patient="nguyen", provider="halvorsen") if segment[0] == "PID")
    (theirs,) = (segment for segment in example(GROUP) if segment[0] == "PID")
    assert (ours[13], ours[15]) == (theirs[13], theirs[15])


@pytest.mark.parametrize(
    ("starts_at", "local"),
    [
        ("2026-09-21T19:00:00+00:00", "20260921140000"),
        ("2026-11-01T06:30:00+00:00", "20261101013000"),  # the hour that comes twice, for the first time
        ("2026-11-02T15:30:00+00:00", "20261102093000"),
    ],
)
def test_times_are_local_and_have_no_offset(play, starts_at, local):
    segments = {segment[0]: segment for segment in play(starts_at=starts_at)}
    assert segments["SCH"][11] == f"^^^{local}"
    assert (segments["AIS"][4], segments["AIP"][6]) == (local, local)


def test_production_is_marked_as_such(play):
    assert play(environment="production")[0][10] == "P"

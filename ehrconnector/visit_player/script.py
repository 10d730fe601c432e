"""One whole visit, from Epic's schedule to Epic's record, played over real sockets.

Each step acts as the person or system would, then asks the sandbox's ledger whether it really happened.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ehrconnector.visit_player.browser import Browser, Page
from ehrconnector.visit_player.twin import Twin

PATIENT_PHONE = "+16085550177"
PROVIDER_OBJECT_ID = "aaaaaaaa-0001-4000-8000-000000000005"
ENVIRONMENT = "test"
_OK = 200


class StepFailed(Exception):
    """A step did not do what it must; the message says what was expected."""


@dataclass
class Stage:
    """What one played visit knows of itself."""

    twin: Twin
    public_url: str
    starts_in_minutes: int
    external_id_of: Callable[[str], str]  # what the meeting of a CSN is called in Graph
    after: int = 0
    csn: str = ""
    conference_id: str = ""
    link: str = ""
    meeting: str = ""
    people: dict[str, str] = field(default_factory=dict)
    provider: Browser = field(default_factory=Browser)
    patient: Browser = field(default_factory=Browser)


Step = Callable[[Stage], str]


def expect(is_so: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Fail the step with ``what`` unless ``is_so``.

    :raises StepFailed: when it is not.
    """
    if not is_so:
        raise StepFailed(what)


def book_visit(stage: Stage) -> str:
    """Book the visit in Epic, which sends it as HL7v2; the listener answers AA."""
    stage.after = stage.twin.last()
    booked = stage.twin.book(
        environment=ENVIRONMENT,
        starts_in_minutes=stage.starts_in_minutes,
        minutes=30,
        patient="rivera",
        provider="okafor",
        trigger="S12",
    )
    stage.csn, stage.conference_id = booked["csn"], booked["conference_id"]
    acknowledgement = booked.get("ack") or {}
    expect(acknowledgement.get("code") == "AA", f"AA for {booked['control_id']}, got {booked}")
    return f"message {booked['control_id']} acknowledged AA"


def receive_text(stage: Stage) -> str:
    """Read the confirmation on the patient's phone and find the link in it."""
    text = stage.twin.wait("acs", "sms_accepted", after=stage.after, key=PATIENT_PHONE)[0]["data"]["text"]
    found = re.search(rf"{re.escape(stage.public_url)}/j/[\w-]{{22}}", text)
    expect(found is not None, "a join link in the text")
    stage.link = found.group() if found else ""
    report = stage.twin.wait("acs", "report_sent", after=stage.after, key=PATIENT_PHONE)[0]["data"]
    expect(report["http_status"] == _OK, f"the delivery report accepted, got {report}")
    return "delivered to the phone, link in the middle"


def launch_provider(stage: Stage) -> str:
    """Press *Begin virtual visit* in Epic as the provider and land on the status page."""
    page = stage.provider.open(stage.twin.launch(stage.csn, audience="provider"))
    _expect_page(page, f"{stage.public_url}/launch/visit")
    issued = stage.twin.wait("epic", "token_issued", after=stage.after, key=stage.csn)[0]["data"]
    expect(issued["app"] == "provider", f"a token of the provider app, got {issued}")
    return f"signed in by Epic as {issued['sub'].split('/')[0]}"


def create_meeting(stage: Stage) -> str:
    """See that one meeting exists in Teams, with a subscription to its events."""
    external_id = stage.external_id_of(stage.csn)
    stage.twin.wait("graph", "meeting_created", after=stage.after, key=external_id)
    created = stage.twin.seen("graph", "meeting_created", after=stage.after, key=external_id)
    expect(len(created) == 1, f"exactly one meeting, got {len(created)}")
    stage.meeting = created[0]["data"]["meeting_id"]
    stage.twin.wait("graph", "meeting_patched", after=stage.after, key=stage.meeting)
    stage.twin.wait("graph", "subscription_created", after=stage.after, key=stage.meeting)
    return "created once, lobby on, subscribed to its events"


def open_link(stage: Stage) -> str:
    """Open the link as the patient: looking changes nothing, the button joins."""
    first, again = stage.patient.open(stage.link), stage.patient.open(stage.link)
    _expect_page(again, stage.link)
    expect(first.status == again.status, "the same page every time")
    expect("teams/" not in again.text, "no Teams address before the button is pressed")
    page = stage.patient.send(again.form(containing="/j/"))
    _expect_page(page, f"{stage.public_url}/visit/check")
    return "checked in, the device test begins"


def enter_lobby(stage: Stage) -> str:
    """Go on to Teams as the patient and wait in the lobby."""
    page = stage.patient.open(f"{stage.public_url}/visit")
    room = stage.patient.send(page.form(containing="/visit/join"))
    expect("/teams/" in room.url, f"the Teams page, got {room.url}")
    joined = stage.twin.enter(room.url)
    expect(joined["state"] == "lobby", f"the lobby, got {joined}")
    stage.people["patient"] = joined["participant"]
    stage.twin.wait("teams", "lobby_entered", after=stage.after, key=stage.meeting)
    return "waiting in the lobby"


def enter_as_provider(stage: Stage) -> str:
    """Join the same meeting as the provider, from the status page."""
    page = stage.provider.open(f"{stage.public_url}/launch/visit")
    room = stage.provider.send(page.form(containing="/launch/visit/join"))
    joined = stage.twin.enter(room.url, **{"as": PROVIDER_OBJECT_ID})
    expect(joined["meeting"] == stage.meeting, f"the same meeting, got {joined}")
    stage.people["provider"] = joined["participant"]
    stage.twin.wait("teams", "joined", after=stage.after, key=stage.meeting)
    return "in the call"


def admit_patient(stage: Stage) -> str:
    """Admit the patient as the provider."""
    stage.twin.admit(stage.meeting, stage.people["patient"])
    stage.twin.wait("teams", "admitted", after=stage.after, key=stage.meeting)
    return "both are in the call"


def hang_up(stage: Stage) -> str:
    """Hang up both; the meeting ends."""
    for person in ("patient", "provider"):
        stage.twin.leave(stage.meeting, stage.people[person])
    stage.twin.wait("teams", "left", after=stage.after, key=stage.meeting, count=2)
    stage.twin.wait("teams", "ended", after=stage.after, key=stage.meeting)
    return "both left, the meeting ended"


def tell_epic(stage: Stage) -> str:
    """See that Epic was told who connected and disconnected, each person's in order."""
    told = stage.twin.wait("epic", "connection_status", after=stage.after, key=stage.conference_id, count=4)
    by_person: dict[str, list[str]] = {}
    for entry in told:
        by_person.setdefault(entry["data"]["external_id"], []).append(str(entry["data"]["status"]))
    expect(len(told) == 4, f"four calls, got {len(told)}")  # noqa: PLR2004 - two people, in and out
    expect(list(by_person.values()) == [["1", "2"]] * 2, f"connected, then disconnected, for two; got {by_person}")
    return "connected and disconnected, for both, in order"


STEPS: tuple[tuple[str, Step], ...] = (
    ("Epic books the visit", book_visit),
    ("The patient is texted", receive_text),
    ("The provider launches from Epic", launch_provider),
    ("The meeting is created", create_meeting),
    ("The patient opens the link", open_link),
    ("The patient enters the lobby", enter_lobby),
    ("The provider joins", enter_as_provider),
    ("The patient is admitted", admit_patient),
    ("Both leave", hang_up),
    ("Epic is told", tell_epic),
)


def play(stage: Stage, steps: tuple[tuple[str, Step], ...] = STEPS) -> Iterator[tuple[str, str]]:
    """Play ``steps`` one after the other; yields each one's name and what was seen.

    :raises StepFailed: with the name of the step in front.
    """
    for name, step in steps:
        try:
            seen = step(stage)
        except (StepFailed, LookupError, OSError, KeyError) as error:
            raise StepFailed(f"{name}: {error or type(error).__name__}") from error
        yield name, seen


def _expect_page(page: Page, url: str) -> None:
    is_there = page.status == _OK and page.url.startswith(url)
    expect(is_there, f"the page {url}, got {page.url} with HTTP {page.status}: {_heading(page.text)}")


def _heading(text: str) -> str:
    found: Any = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found.group(1)).strip() if found else ""

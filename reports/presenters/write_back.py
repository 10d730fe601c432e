"""One write-back that needs a person: what was to be told, what Epic answered, and what that means."""

from dataclasses import dataclass
from datetime import datetime

from core.moments import written
from writeback.models import WritebackEvent
from writeback.models.configuration import DeviceTestMeans, Means

# Code → what happened, and who mends it how. The long form is docs/troubleshooting.md.
_CAUSES = {
    "epic.break_the_glass": (
        "A policy of Epic denies access to this chart (break the glass).",
        "Epic analyst: allow the background user through break the glass.",
    ),
    "epic.conference_unknown": (
        "Epic knows no video visit with this conference id.",
        "Epic analyst: check that the integration record passes %CONFERENCEID% of the same environment.",
    ),
    "epic.not_authorized": (
        "Epic refused who we are.",
        "Epic analyst: check the security of the background user and whether the client may call the service.",
    ),
    "epic.observation_not_mapped": (
        "The code is not mapped to a flowsheet row.",
        "Epic analyst: map the code, or have an administrator enter the mapped one under Setup, Telling Epic.",
    ),
    "epic.rejected": (
        "Epic understood the call and refused it.",
        "Epic analyst: look into the Interconnect log at that time.",
    ),
    "epic.no_answer": (
        "Epic was called and did not answer in time: it may have taken it.",
        "Look into Epic first, then send again or mark it as handled.",
    ),
    "writeback.worker_lost": (
        "Our process ended during the call: Epic may have taken it.",
        "Look into Epic first, then send again or mark it as handled.",
    ),
    "writeback.no_conference_id": (
        "Epic knows the visit by its conference id, and no launch has brought it.",
        "Epic analyst: add conferenceId=%CONFERENCEID% to the integration record. It is sent once a launch brings it.",
    ),
    "writeback.no_patient": (
        "No launch has said whose chart it is.",
        "Nobody: it is sent once somebody launches the visit from Epic.",
    ),
}
_UNKNOWN = ("It was tried for a day without success.", "Operator: look up the code in the troubleshooting guide.")
_MEANS = dict(Means.choices) | dict(DeviceTestMeans.choices)


@dataclass(frozen=True)
class WritebackPresenter:
    """A write-back in words."""

    row: WritebackEvent

    @property
    def title(self) -> str:
        """What was to be told."""
        return f"{self.row.who} {self.row.get_kind_display().lower()}"

    @property
    def status(self) -> str:
        """Where it stands."""
        return str(WritebackEvent.State(self.row.state).label)

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return "warn" if self.row.state == WritebackEvent.State.UNKNOWN else "bad"

    @property
    def happened(self) -> str:
        """What happened, in a sentence."""
        return self._cause[0]

    @property
    def todo(self) -> str:
        """Who mends it, how."""
        return self._cause[1]

    @property
    def may_be_sent(self) -> bool:
        """Whether sending again is a choice; what is not sendable is sent by itself once it can be."""
        return self.row.state != WritebackEvent.State.NOT_SENDABLE

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Everything that is known about the call."""
        row, zone = self.row, self.row.visit.time_zone
        answer = f"HTTP {row.http_status}" if row.http_status else "none"
        took = f" after {row.response_ms} ms" if row.response_ms is not None else ""
        facts = [
            ("Happened", _when(row.occurred_at, zone)),
            ("Told by", str(_MEANS.get(row.means, "not yet"))),
            ("Attempts", str(row.attempts)),
            ("Epic's answer", answer + took),
            ("Epic's code", row.epic_code),
            ("Our code", row.error_code),
            ("Request id", row.request_id),
        ]
        return [(name, value) for name, value in facts if value]

    @property
    def _cause(self) -> tuple[str, str]:
        return _CAUSES.get(self.row.error_code, _UNKNOWN)


def _when(moment: datetime, zone: str) -> str:
    return written(moment, zone_name=zone)

"""The end of a played visit: the report row is there, and its timeline is complete."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from meetings.services.meetings import external_id
from reports.presenters.timeline import entries
from reports.presenters.visit import VisitPresenter
from reports.services import board, timeline
from sms.models import SmsMessage
from visits.models import Visit
from visits.services.scheduling import session_index


@dataclass(frozen=True)
class Ending:
    """What the connector itself says about a visit."""

    visit: Visit

    @classmethod
    def of(cls, csn: str) -> "Ending":
        """Find the visit that Epic calls ``csn``, newest first.

        :raises LookupError: when the connector does not know it.
        """
        for visit in Visit.objects.select_related("endpoint", "organization").order_by("-created_at")[:50]:
            if visit.session_index == session_index(visit.endpoint, csn):
                return cls(visit)
        raise LookupError(f"the connector knows no visit {csn}")

    @property
    def row(self) -> VisitPresenter:
        """The visit's row of the usage report."""
        return VisitPresenter(board.rows_of([self.visit])[0], timezone.now())

    @property
    def meeting_external_id(self) -> str:
        """What the visit's first meeting is called in Graph."""
        return external_id(self.visit, generation=1)

    @property
    def has_reminder(self) -> bool:
        """Whether a reminder is planned."""
        planned = SmsMessage.objects.filter(visit=self.visit, kind=SmsMessage.Kind.REMINDER)
        return planned.exclude(state=SmsMessage.State.WITHDRAWN).exists()

    def lines(self) -> list[dict[str, Any]]:
        """Return the timeline as it is printed and as JSON."""
        return [
            {
                "at": entry.iso,
                "time": entry.time_text,
                "what": f"{entry.title} {entry.detail}".strip(),
                "outcome": entry.outcome,
                "tone": entry.tone,
            }
            for entry in entries(timeline.build(self.visit), self.visit)
        ]

"""The status page in words."""

from dataclasses import dataclass
from datetime import datetime

from reports.presenters.words import span
from reports.services.operations import LATE, Fact, Queue


@dataclass(frozen=True)
class QueueRow:
    """One queue as a row."""

    queue: Queue
    now: datetime

    @property
    def lag(self) -> str:
        """For how long the oldest row has been due, minutes and seconds."""
        return span(self.queue.lag(now=self.now))

    @property
    def status(self) -> str:
        """Whether it moves."""
        if self.queue.lag(now=self.now) > LATE:
            return "Late"
        return "Needs a decision" if self.queue.stopped else "Up to date"

    @property
    def tone(self) -> str:
        """The tone of :attr:`status`."""
        return {"Late": "bad", "Needs a decision": "warn"}.get(self.status, "ok")


@dataclass(frozen=True)
class FactRow:
    """One fact as a row."""

    fact: Fact

    @property
    def tone(self) -> str:
        """The tone that goes with it."""
        return {True: "ok", False: "bad", None: "neutral"}[self.fact.is_well]


def is_all_well(queues: list[QueueRow], facts: list[FactRow]) -> bool:
    """Return whether nothing on the page asks for a person."""
    return all(row.tone == "ok" for row in queues) and all(row.tone != "bad" for row in facts)

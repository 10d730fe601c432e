"""What SCH-25 says, in the words of table 0278.

The event of a message decides what happens; its status is only compared with it. Source: HL7 v2.5.1 section
10.6.1.25 with table 0278, and the abbreviations that Epic's outgoing interface sends as second component.
"""

from collections.abc import Mapping
from enum import StrEnum

from hl7intake.reader import Segment


class Status(StrEnum):
    """Table 0278."""

    PENDING = "Pending"
    WAITLIST = "Waitlist"
    BOOKED = "Booked"
    STARTED = "Started"
    COMPLETE = "Complete"
    CANCELLED = "Cancelled"
    DISCONTINUED = "Dc"
    DELETED = "Deleted"
    BLOCKED = "Blocked"
    OVERBOOK = "Overbook"
    NO_SHOW = "Noshow"


ENDED = frozenset({Status.CANCELLED, Status.DISCONTINUED, Status.DELETED, Status.NO_SHOW})
UPCOMING = frozenset({Status.PENDING, Status.WAITLIST, Status.BOOKED, Status.OVERBOOK})

_NAMES = {
    **{status.value.upper(): status for status in Status},
    "SCH": Status.BOOKED,
    "SCHEDULED": Status.BOOKED,
    "CAN": Status.CANCELLED,
    "CANCELED": Status.CANCELLED,
    "COMP": Status.COMPLETE,
    "COMPLETED": Status.COMPLETE,
    "NOS": Status.NO_SHOW,
    "NO SHOW": Status.NO_SHOW,
    "ARR": Status.STARTED,
}


def read_status(schedule: Segment, own: Mapping[str, str]) -> Status | None:
    """Return the appointment's status, or None when SCH-25 is empty or means nothing to us.

    :param own: what this sender writes → a name of table 0278; wins over the table, because bare numbers
        mean something else in every house.
    """
    written = [schedule.text(25, component=number).strip().upper() for number in (1, 2)]
    mapped = {text.strip().upper(): name.strip().upper() for text, name in own.items()}
    for text in written:
        if text in mapped:
            return _NAMES.get(mapped[text])
    return next((_NAMES[text] for text in written if text in _NAMES), None)

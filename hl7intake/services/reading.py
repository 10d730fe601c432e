"""Show the text of a message to somebody who has a reason, and write that down first."""

from dataclasses import dataclass

from django.db import transaction

from core import audit
from hl7intake.errors import MessageRefused
from hl7intake.models import InboundMessage
from hl7intake.outline import OutlinedSegment, outline
from hl7intake.reader import read


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The text of a message.

    :param text: a line for each segment, decoded as far as it can be.
    :param segments: the fields in words; empty when the message cannot be taken apart.
    """

    text: str
    segments: tuple[OutlinedSegment, ...]


@transaction.atomic
def read_text(message: InboundMessage, *, reason: str, actor: str) -> Reading | None:
    """Return the text of ``message``, or None when it is gone; every look is an audit event.

    Without the audit event nothing is shown: both are one transaction.
    """
    raw = InboundMessage.objects.get(pk=message.pk).raw_bytes
    if raw is None:
        return None
    audit.record(
        "message.text_shown",
        organization_id=message.organization_id,
        actor=actor,
        subject=message,
        control_id=message.control_id,
        reason=reason,
    )
    lines = [line for line in raw.decode("utf-8", "replace").splitlines() if line]
    return Reading(text="\n".join(lines), segments=_segments(raw))


def _segments(raw: bytes) -> tuple[OutlinedSegment, ...]:
    try:
        return outline(read(raw), is_full=True)
    except MessageRefused:
        return ()

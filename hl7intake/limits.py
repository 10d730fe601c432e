"""The limits that the operator has set for messages."""

from django.conf import settings

from hl7intake.reader import Limits


def message_limits() -> Limits:
    """Return what a message may have at most."""
    return Limits(
        bytes=settings.HL7_MESSAGE_BYTES, segments=settings.HL7_SEGMENTS, repetitions=settings.HL7_REPETITIONS
    )

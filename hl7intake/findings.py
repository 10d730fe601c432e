"""What had to be assumed or was noticed while a message was understood; shown to analysts."""

from enum import StrEnum
from typing import NamedTuple


class FindingCode(StrEnum):
    """Stable codes of findings; an analyst's sentence for each is in :data:`SENTENCES`."""

    START_CONFLICT = "start_conflict"
    START_UNREADABLE = "start_unreadable"
    CLOCK_GAP = "clock_gap"
    CLOCK_FOLD = "clock_fold"
    END_IMPLAUSIBLE = "end_implausible"
    LENGTH_MISSING = "length_missing"
    LENGTH_UNIT_GUESSED = "length_unit_guessed"
    SESSION_ID_CONFLICT = "session_id_conflict"
    STATUS_CONFLICT = "status_conflict"
    MESSAGE_TIME_MISSING = "message_time_missing"
    MESSAGE_TIME_AHEAD = "message_time_ahead"
    PHONE_UNUSABLE = "phone_unusable"
    LANGUAGE_UNKNOWN = "language_unknown"
    FILTER_EMPTY = "filter_empty"
    CHARSET_ASSUMED = "charset_assumed"


SENTENCES = {
    FindingCode.START_CONFLICT: "Two fields give different start times; the first one named was used.",
    FindingCode.START_UNREADABLE: "A start time could not be read; another field was used.",
    FindingCode.CLOCK_GAP: "The time does not exist because the clocks go forward; it was moved forward.",
    FindingCode.CLOCK_FOLD: "The time exists twice because the clocks go back; the first was taken.",
    FindingCode.END_IMPLAUSIBLE: "The end is not within a day of the start; the duration was used.",
    FindingCode.LENGTH_MISSING: "No duration was sent; 30 minutes were assumed.",
    FindingCode.LENGTH_UNIT_GUESSED: "The duration has no unit we know; one was assumed.",
    FindingCode.SESSION_ID_CONFLICT: "PV1-19 and SCH-2 hold different ids; the preferred field was used.",
    FindingCode.STATUS_CONFLICT: "The status in SCH-25 contradicts the event; the event was followed.",
    FindingCode.MESSAGE_TIME_MISSING: "MSH-7 holds no time; the time of arrival was used for the order.",
    FindingCode.MESSAGE_TIME_AHEAD: "MSH-7 lies more than a day ahead; the time of arrival was used for the order.",
    FindingCode.PHONE_UNUSABLE: "No number in PID-13, PID-40 or PID-14 can be texted.",
    FindingCode.LANGUAGE_UNKNOWN: "The language in PID-15 is not known; English is used.",
    FindingCode.FILTER_EMPTY: "No visit types or departments are chosen yet, so nothing is texted.",
    FindingCode.CHARSET_ASSUMED: "The characters are neither as MSH-18 says nor UTF-8; the fallback was used.",
}


class Finding(NamedTuple):
    """One of them.

    :param place: the field, such as ``AIG-8``.
    :param detail: what it said; times and counts only, never anything of a patient.
    """

    code: FindingCode
    place: str = ""
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What it means, for an analyst."""
        return SENTENCES[self.code]

"""The reports' words: what a status is called, what a number means, in one sentence each."""

from reports.definitions import GRACE, MicrosoftStatus, Status
from sms.models import SmsMessage

DASH = "\N{EN DASH}"
_LATE = f"{GRACE.seconds // 60} minutes"

# Label, tone, place in the palette of charts, meaning.
STATUSES: dict[str, tuple[str, str, int, str]] = {
    Status.COMPLETED: (
        "Completed",
        "ok",
        1,
        "A provider and somebody else were in the call together, and it has ended.",
    ),
    Status.PATIENT_NO_SHOW: (
        "Patient no-show",
        "warn",
        2,
        "A provider was in the call and nobody else came, or Epic says so. Microsoft calls the first a no-show.",
    ),
    Status.PROVIDER_NO_SHOW: (
        "Provider no-show",
        "bad",
        3,
        "A patient was in the call, no provider was. Microsoft counts this as completed.",
    ),
    Status.WAITED_ALONE: (
        "Patient waited alone",
        "bad",
        4,
        "A patient was in the lobby, nobody let them in and no provider came. Microsoft does not list it.",
    ),
    Status.MISSED: (
        "Missed each other",
        "bad",
        5,
        "Both came, and were never in the call together: one had gone, or the patient was not let in.",
    ),
    Status.TECHNICAL_FAILURE: (
        "Technical failure",
        "bad",
        6,
        "They did not meet, and Epic, Microsoft or the connector refused a launch or made no meeting.",
    ),
    Status.NOBODY_JOINED: (
        "Nobody joined",
        "neutral",
        7,
        f"Nobody came to the lobby or the call until {_LATE} after the planned end.",
    ),
    Status.IN_PROGRESS: ("In progress", "info", 8, "Somebody is in the call or in the lobby now."),
    Status.CANCELLED: ("Cancelled", "neutral", 7, "Epic cancelled it and nobody came. Not counted unless asked for."),
    Status.SCHEDULED: ("Scheduled", "neutral", 7, f"Still to come, or less than {_LATE} over without anybody met."),
}
MICROSOFT = {
    MicrosoftStatus.COMPLETED: "Completed",
    MicrosoftStatus.NO_SHOW: "No show",
    MicrosoftStatus.NOT_LISTED: DASH,
}

FIGURES = {
    "visits": "Virtual visits that took place or should have, on the day they started or were planned to.",
    "start": "When provider and somebody else were first in the call together, else the first activity, else the plan.",
    "duration": "From the start until the last person left; 0:00 when provider and patient were never together.",
    "lobby_wait": "Microsoft's: from the first arrival in the lobby until that person or another one is let in.",
    "own_wait": "Ours: each person from their own first arrival in the lobby until they were let in.",
    "gave_up": "People who came to the lobby and were never in the call.",
    "peak": "The most people in the call at one time: what Microsoft's usage report calls attendees.",
    "total": "How many different people were in the call: what Microsoft's EHR report calls attendants.",
    "percentiles": "Medians and 90th percentiles are exact to within 1%.",
    "texts_sent": "Texts about the visit that a carrier took; that says nothing about the phone.",
    "texts_delivered": "Texts about the visit that a carrier says have reached the phone.",
    "within_limit": "Whether a completed production visit is within the monthly allocation, counted by its start.",
    "provider": "Epic's id of the first provider; erased with Epic's other ids some time after the visit.",
}

_Text, _Report = SmsMessage.State, SmsMessage.ReportStatus
# State → label, tone, place in the palette, meaning.
TEXTS: dict[str, tuple[str, str, int, str]] = {
    _Text.DELIVERED: ("Delivered", "ok", 1, "The phone has it, says its carrier. Microsoft calls this Sent."),
    _Text.ACCEPTED: ("Accepted", "info", 8, "The supplier took it; nobody has said yet whether the phone has it."),
    _Text.UNDELIVERED: ("Not delivered", "bad", 3, "A carrier took it and could not deliver it."),
    _Text.FAILED: ("Refused", "bad", 2, "The supplier would not take it."),
    _Text.UNKNOWN: ("Unknown", "warn", 4, "The supplier did not answer; it is asked, and nothing is sent twice."),
    _Text.EXPIRED: ("Too late", "neutral", 5, "It could not be sent while it was of any use."),
    _Text.SUPPRESSED: ("Not sent", "neutral", 6, "It must not be sent: STOP, no consent, or a limit."),
    _Text.WITHDRAWN: ("Withdrawn", "neutral", 7, "The visit moved or was cancelled before it went out."),
}
REPORT_STATUSES = {str(status.value): str(status.label) for status in _Report}


def status_label(status: str) -> str:
    """Return what a status is called."""
    return STATUSES[status][0]


def status_meanings() -> list[tuple[str, str]]:
    """Return what the statuses mean."""
    return [(label, meaning) for label, _, _, meaning in STATUSES.values()]


def meanings(*keys: str) -> list[tuple[str, str]]:
    """Return names and meanings of these figures, for the foot of a page."""
    return [(LABELS[key], FIGURES[key]) for key in keys]


LABELS = {
    "visits": "Visits",
    "start": "Start",
    "duration": "Duration",
    "lobby_wait": "Lobby wait",
    "own_wait": "Own wait",
    "gave_up": "Gave up",
    "peak": "Attendees",
    "total": "Attendants",
    "percentiles": "Median and p90",
    "texts_sent": "Texts sent",
    "texts_delivered": "Texts delivered",
    "within_limit": "Within limit",
    "provider": "Provider",
}

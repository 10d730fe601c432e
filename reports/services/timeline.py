"""Everything that happened to one visit, from Epic's message to Epic's record, in order of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hl7intake.models import InboundMessage
from launch.models import DeviceTest, LaunchAttempt, VisitRating
from meetings.models import Meeting, PresenceEvent
from sms.models import SmsMessage
from sms.services import resending
from visits.models import Visit
from writeback.models import WritebackEvent

FAR_AHEAD = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One line of the timeline.

    :param at: None for what comes next at a time nobody knows.
    :param tone: ``ok``, ``warn``, ``bad``, ``info``, ``neutral`` or, for what is still to come, ``next``.
    :param ending: last digits of the number it went to; not everybody may see them.
    :param action: what may be done about it: ``text_again``, ``decide`` or nothing; ``row_id`` says with which row.
    """

    at: datetime | None
    title: str
    detail: str = ""
    tone: str = "ok"
    outcome: str = ""
    outcome_tone: str = "neutral"
    ending: str = ""
    action: str = ""
    row_id: UUID | None = None


def build(visit: Visit, *, now: datetime | None = None) -> list[Moment]:
    """Return the timeline of ``visit``; what is planned stands behind what happened.

    :param now: to say what may be done now; without it only the facts are told.
    """
    moments = [
        *_messages(visit),
        *_texts(visit, now=now),
        *_launches(visit),
        *_device_tests(visit),
        *_meeting(visit),
        *_presence(visit),
        *_write_backs(visit),
    ]
    return sorted(moments, key=lambda moment: (moment.tone == "next", moment.at or FAR_AHEAD))


_MESSAGE_TITLES = {
    "S12": "Appointment received",
    "S13": "New time received",
    "S14": "Change received",
    "S15": "Cancellation received",
    "S26": "No-show received",
}
_MESSAGE_STATES = {
    "applied": "ok",
    "superseded": "neutral",
    "ignored": "neutral",
    "quarantined": "bad",
    "received": "info",
}


def _messages(visit: Visit) -> Iterator[Moment]:
    for message in InboundMessage.objects.filter(visit=visit):
        yield Moment(
            at=message.received_at,
            title=_MESSAGE_TITLES.get(message.trigger, "Message received"),
            detail=f"from Epic, message {message.control_id}",
            tone=_MESSAGE_STATES.get(message.state, "neutral"),
            outcome="Accepted" if message.state == "applied" else message.get_state_display(),
            outcome_tone=_MESSAGE_STATES.get(message.state, "neutral"),
        )


def _texts(visit: Visit, *, now: datetime | None) -> Iterator[Moment]:
    for text in SmsMessage.objects.filter(visit=visit).select_related("visit", "contact"):
        title = text.get_kind_display() if text.kind == SmsMessage.Kind.REMINDER else f"{text.get_kind_display()} text"
        outcome, tone = _text_outcome(text)
        is_planned = text.state == SmsMessage.State.PENDING
        may_repeat = now is not None and tone == "bad" and not resending.refusal(text, now=now)
        yield Moment(
            at=text.accepted_at or text.finished_at or text.due_at,
            title=title,
            detail=f"{_ahead(text.offset_minutes)} before" if text.offset_minutes else "",
            ending=text.number_ending,
            tone="next" if is_planned else tone,
            outcome=outcome,
            outcome_tone="neutral" if is_planned else tone,
            action="text_again" if may_repeat else "",
            row_id=text.pk,
        )


_TEXT_TONES = {"accepted": "info", "delivered": "ok", "sending": "info", "unknown": "warn", "failed": "bad"}


def _text_outcome(text: SmsMessage) -> tuple[str, str]:
    """Return the words and the tone for where a text stands."""
    if text.state == SmsMessage.State.DELIVERED and text.delivered_at and text.accepted_at:
        seconds = max((text.delivered_at - text.accepted_at).total_seconds(), 0)
        return f"Delivered in {seconds:.0f} s", "ok"
    if text.state == SmsMessage.State.UNDELIVERED:
        return "Not delivered", "bad"
    return str(SmsMessage.State(text.state).label), _TEXT_TONES.get(text.state, "neutral")


_LAUNCHES = {
    LaunchAttempt.Audience.PROVIDER: ("Provider launched", "from Epic"),
    LaunchAttempt.Audience.PATIENT: ("Patient launched", "from MyChart"),
    LaunchAttempt.Audience.TEXT: ("Patient checked in", "from the text message"),
    LaunchAttempt.Audience.GUEST: ("Guest checked in", "from an invitation"),
}


def _launches(visit: Visit) -> Iterator[Moment]:
    for attempt in LaunchAttempt.objects.filter(visit=visit):
        title, detail = _LAUNCHES[LaunchAttempt.Audience(attempt.audience)]
        is_refused = attempt.state == LaunchAttempt.State.REFUSED
        yield Moment(
            at=attempt.created_at,
            title=title,
            detail=f"{detail}, reference {attempt.reference}" if is_refused else detail,
            tone="bad" if is_refused else "ok",
            outcome="Refused" if is_refused else "",
            outcome_tone="bad",
        )


_TEST_OUTCOMES = {True: ("Everything works", "ok"), False: ("Needs a look", "warn")}


def _device_tests(visit: Visit) -> Iterator[Moment]:
    """Tell which checks did not end well, and how the patient found picture and sound afterwards."""
    for test in DeviceTest.objects.filter(visit=visit):
        outcome, tone = _TEST_OUTCOMES[not test.troubles]
        labels = DeviceTest.Result
        troubles = [f"{name} {labels(test.results[name]).label.lower()}" for name in test.troubles]
        yield Moment(
            at=test.created_at,
            title="Device test",
            detail=", ".join(troubles) or test.made_with,
            tone=tone,
            outcome=outcome,
            outcome_tone=tone,
        )
    for rating in VisitRating.objects.filter(visit=visit):
        yield Moment(
            at=rating.created_at,
            title="Patient's answer",
            detail="picture and sound worked well" if rating.is_good else "picture or sound did not work well",
            tone="ok" if rating.is_good else "warn",
        )


def _meeting(visit: Visit) -> Iterator[Moment]:
    meeting = Meeting.objects.filter(visit=visit).first()
    if meeting is None:
        return
    is_ready = meeting.state != Meeting.State.CREATING
    yield Moment(
        at=meeting.created_at,
        title="Teams meeting",
        detail="created; everybody from outside waits in the lobby" if is_ready else "being created",
        tone="ok" if is_ready else "info",
        outcome="Options differ" if meeting.option_differences else "",
        outcome_tone="warn",
    )
    if meeting.ended_at:
        yield Moment(at=meeting.ended_at, title="Meeting ended")


_PRESENCE = {
    PresenceEvent.Kind.LOBBY_ENTERED: "entered the lobby",
    PresenceEvent.Kind.CONNECTED: "connected",
    PresenceEvent.Kind.LEFT_LOBBY: "left the lobby",
    PresenceEvent.Kind.DISCONNECTED: "left",
}


def _presence(visit: Visit) -> Iterator[Moment]:
    waiting: dict[object, datetime] = {}
    events = PresenceEvent.objects.standing().filter(participant__meeting__visit=visit)
    for event in events.select_related("participant"):
        kind, person = PresenceEvent.Kind(event.kind), event.participant_id
        outcome = ""
        if kind == PresenceEvent.Kind.LOBBY_ENTERED:
            waiting[person] = event.at
        elif kind == PresenceEvent.Kind.CONNECTED and person in waiting:
            outcome = f"Waited {_span(event.at - waiting.pop(person))}"
        yield Moment(
            at=event.at,
            title=f"{event.participant.label} {_PRESENCE[kind]}",
            tone="warn" if kind == PresenceEvent.Kind.LOBBY_ENTERED else "ok",
            outcome=outcome,
        )


_WRITE_BACK_TONES = {"accepted": "ok", "failed": "bad", "not_sendable": "bad", "unknown": "warn", "handled": "neutral"}


def _write_backs(visit: Visit) -> Iterator[Moment]:
    for row in WritebackEvent.objects.filter(visit=visit).select_related("participant"):
        tone = _WRITE_BACK_TONES.get(row.state, "info")
        took = f" in {row.response_ms} ms" if row.state == "accepted" and row.response_ms is not None else ""
        late = ", from the attendance report" if row.source == row.Source.ATTENDANCE else ""
        yield Moment(
            at=row.finished_at or row.created_at,
            title="Epic told" if row.state == "accepted" else "Epic to be told",
            detail=f"{row.who} {row.get_kind_display().lower()}{late}",
            tone=tone,
            outcome=f"{WritebackEvent.State(row.state).label}{took}",
            outcome_tone=tone,
            action="decide" if row.needs_a_person else "",
            row_id=row.pk,
        )


def _ahead(minutes: int) -> str:
    """Return a reminder's distance as people say it: ``1 day``, ``2 hours``, ``10 minutes``."""
    for size, unit in ((24 * 60, "day"), (60, "hour")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{minutes} minutes"


def _span(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    return f"{seconds // 60}:{seconds % 60:02}"

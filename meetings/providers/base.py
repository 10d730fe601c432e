"""What a supplier of online meetings must do for us, in plain values: no models, no Django."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class MeetingOptions:
    """What keeps a meeting safe; the values are Graph's names. The defaults let nobody from outside admit others.

    :param lobby_scope: who passes the lobby. :param presenters: who may present, and so admit.
    :param chat: when people may write.
    """

    lobby_scope: str = "organizationExcludingGuests"
    presenters: str = "organization"
    chat: str = "limited"


@dataclass(frozen=True, kw_only=True)
class MeetingRequest:
    """The meeting we want to exist; asking twice with one ``external_id`` gives the same meeting.

    Times are aware; both or neither are given. ``subject`` names no patient.
    """

    external_id: str
    organizer_object_id: str
    subject: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    options: MeetingOptions = field(default_factory=MeetingOptions)


@dataclass(frozen=True, kw_only=True)
class OnlineMeeting:
    """A meeting at the supplier.

    :param dial_in_number: telephone number by which it can be joined, and ``dial_in_id`` what one types in then;
        both empty where the organizer has no audio conferencing.
    :param option_differences: option → ``{"wanted": …, "got": …}`` where it is not as we asked.
    """

    id: str
    join_web_url: str
    dial_in_number: str = ""
    dial_in_id: str = ""
    option_differences: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PatientLink:
    """Where a patient joins.

    :param is_fallback: it is the ordinary address, since the browser address was not to be had.
    :param error_code: why not; empty otherwise.
    """

    url: str
    is_fallback: bool = False
    error_code: str = ""


@dataclass(frozen=True, kw_only=True)
class EncryptionKey:
    """The certificate (PEM) that notifications are to be encrypted for, and its name."""

    key_id: str
    certificate: str


@dataclass(frozen=True, kw_only=True)
class SubscriptionRequest:
    """The wish to hear who comes and goes in one meeting."""

    join_web_url: str
    notification_url: str
    lifecycle_url: str
    client_state: str
    key: EncryptionKey
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class RecordSubscriptionRequest:
    """The wish to hear that calls of the tenant have records; nothing of what is in them."""

    notification_url: str
    lifecycle_url: str
    client_state: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class LiveSubscription:
    """A subscription at the supplier and when it lapses."""

    id: str
    expires_at: datetime


class Whereabouts(StrEnum):
    """Where somebody was seen."""

    LOBBY = "lobby"
    IN_CALL = "in_call"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a connection belongs to, as the supplier knows it.

    :param id: Entra object id of a user, or whatever else identifies an outsider; may be empty.
    :param tenant_id: Entra tenant of a user; empty for everybody else.
    """

    id: str = ""
    tenant_id: str = ""

    def is_member_of(self, tenant_id: str) -> bool:
        """Return whether this is a user of ``tenant_id``; everybody else is an outsider."""
        return bool(self.id and self.tenant_id) and self.tenant_id.lower() == tenant_id.lower()


@dataclass(frozen=True, kw_only=True)
class RosterChange:
    """One connection's new whereabouts. ``connection_id`` is one device of one person."""

    connection_id: str
    whereabouts: Whereabouts
    identity: Identity = field(default_factory=Identity)


class CallEventKind(StrEnum):
    """What a notification is about."""

    STARTED = "started"
    ENDED = "ended"
    ROSTER = "roster"


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """Something that happened in a meeting at ``at``."""

    kind: CallEventKind
    at: datetime
    changes: tuple[RosterChange, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A time that somebody spent in the call."""

    joined_at: datetime
    left_at: datetime


@dataclass(frozen=True, kw_only=True)
class AttendanceRecord:
    """One person's stays in one call. ``id`` tells records of a report apart; the lobby does not count."""

    id: str
    identity: Identity
    stays: tuple[Stay, ...]


@dataclass(frozen=True, kw_only=True)
class AttendanceReport:
    """Who was in one call of a meeting, from the first person's arrival to the last one's departure."""

    id: str
    started_at: datetime
    ended_at: datetime
    records: tuple[AttendanceRecord, ...]


@dataclass(frozen=True, kw_only=True)
class CallRecordHead:
    """A call that Teams has a record of; ``version`` rises as more becomes known."""

    id: str
    version: int
    join_web_url: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class CallStreamMeasures:
    """What was measured of one stream between a person and Teams.

    ``kind`` is audio, video or screen; ``is_staff`` tells people of the tenant from all others. ``measures`` holds
    what is known of ``jitter_ms``, ``round_trip_ms``, ``packet_loss``, ``concealed_ratio``, ``audio_degradation``,
    ``frame_loss`` (percent), ``frame_rate`` and ``post_fec_loss``.
    """

    kind: str
    is_staff: bool
    platform: str
    product: str
    network: str
    measures: Mapping[str, float]


class MeetingProvider(Protocol):
    """A supplier of online meetings.

    Every method may raise :class:`core.errors.ConfigurationError` (a person must act),
    :class:`~core.errors.UpstreamUnavailable` (later; ``retry_after`` seconds if told),
    :class:`~core.errors.UpstreamRejected` and :class:`~core.errors.OutcomeUnknown`.
    """

    def ensure_meeting(self, request: MeetingRequest) -> OnlineMeeting:
        """Create or find the meeting and set our options on it; safe to repeat and to race."""
        ...

    def patient_link(self, meeting: OnlineMeeting, *, organizer_object_id: str) -> PatientLink:
        """Return where patients join; never fails, but may fall back."""
        ...

    def reschedule(self, meeting_id: str, *, organizer_object_id: str, starts_at: datetime, ends_at: datetime) -> None:
        """Move the meeting."""
        ...

    def delete_meeting(self, meeting_id: str, *, organizer_object_id: str) -> None:
        """Delete the meeting; one that is gone already is fine."""
        ...

    def subscribe(self, request: SubscriptionRequest) -> LiveSubscription:
        """Subscribe, or adopt the subscription that is there."""
        ...

    def renew(
        self, subscription_id: str, *, expires_at: datetime, key: EncryptionKey | None = None
    ) -> LiveSubscription:
        """Prolong a subscription, and let it encrypt for another key if one is given."""
        ...

    def unsubscribe(self, subscription_id: str) -> None:
        """Delete a subscription; one that is gone already is fine."""
        ...

    def attendance_reports(self, meeting_id: str, *, organizer_object_id: str) -> list[AttendanceReport]:
        """Return who was in the calls of a meeting that have ended, oldest call first."""
        ...

    def subscribe_to_records(self, request: RecordSubscriptionRequest) -> LiveSubscription:
        """Subscribe to the call records of the tenant, or adopt the subscription that is there."""
        ...

    def renew_records(self, subscription_id: str, *, expires_at: datetime) -> LiveSubscription:
        """Prolong the subscription to call records."""
        ...

    def unsubscribe_from_records(self, subscription_id: str) -> None:
        """Delete the subscription to call records; one that is gone already is fine."""
        ...

    def call_record(self, record_id: str) -> CallRecordHead | None:
        """Return one call's record without its streams; None for a call of no meeting."""
        ...

    def call_records(self, *, since: datetime, until: datetime) -> Iterator[CallRecordHead]:
        """Yield the records of the tenant's calls that started in ``[since, until)``; kept for 30 days."""
        ...

    def call_streams(self, record_id: str) -> list[CallStreamMeasures]:
        """Return what was measured of every stream of one call."""
        ...

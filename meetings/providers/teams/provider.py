"""Teams behind the interface of :class:`meetings.providers.base.MeetingProvider`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import requests

from meetings.providers.base import (
    AttendanceReport,
    CallRecordHead,
    CallStreamMeasures,
    EncryptionKey,
    LiveSubscription,
    MeetingRequest,
    OnlineMeeting,
    PatientLink,
    RecordSubscriptionRequest,
    SubscriptionRequest,
)
from meetings.providers.teams import attendance, call_records, meetings, record_subscriptions, subscriptions
from meetings.providers.teams.connection import TeamsConnection


@dataclass(frozen=True)
class TeamsProvider:
    """One Entra application in one tenant, reached through ``session``."""

    connection: TeamsConnection
    session: requests.Session

    def ensure_meeting(self, request: MeetingRequest) -> OnlineMeeting:
        """See :func:`meetings.providers.teams.meetings.ensure_meeting`."""
        return meetings.ensure_meeting(self.connection, self.session, request)

    def patient_link(self, meeting: OnlineMeeting, *, organizer_object_id: str) -> PatientLink:
        """See :func:`meetings.providers.teams.meetings.patient_link`."""
        return meetings.patient_link(self.connection, self.session, meeting, organizer=organizer_object_id)

    def reschedule(self, meeting_id: str, *, organizer_object_id: str, starts_at: datetime, ends_at: datetime) -> None:
        """See :func:`meetings.providers.teams.meetings.reschedule`."""
        meetings.reschedule(
            self.connection,
            self.session,
            meeting_id,
            organizer=organizer_object_id,
            starts_at=starts_at,
            ends_at=ends_at,
        )

    def delete_meeting(self, meeting_id: str, *, organizer_object_id: str) -> None:
        """See :func:`meetings.providers.teams.meetings.delete_meeting`."""
        meetings.delete_meeting(self.connection, self.session, meeting_id, organizer=organizer_object_id)

    def subscribe(self, request: SubscriptionRequest) -> LiveSubscription:
        """See :func:`meetings.providers.teams.subscriptions.subscribe`."""
        return subscriptions.subscribe(self.connection, self.session, request)

    def renew(
        self, subscription_id: str, *, expires_at: datetime, key: EncryptionKey | None = None
    ) -> LiveSubscription:
        """See :func:`meetings.providers.teams.subscriptions.renew`."""
        return subscriptions.renew(self.connection, self.session, subscription_id, expires_at=expires_at, key=key)

    def unsubscribe(self, subscription_id: str) -> None:
        """See :func:`meetings.providers.teams.subscriptions.unsubscribe`."""
        subscriptions.unsubscribe(self.connection, self.session, subscription_id)

    def attendance_reports(self, meeting_id: str, *, organizer_object_id: str) -> list[AttendanceReport]:
        """See :func:`meetings.providers.teams.attendance.attendance_reports`."""
        return attendance.attendance_reports(self.connection, self.session, meeting_id, organizer=organizer_object_id)

    def subscribe_to_records(self, request: RecordSubscriptionRequest) -> LiveSubscription:
        """See :func:`meetings.providers.teams.record_subscriptions.subscribe`."""
        return record_subscriptions.subscribe(self.connection, self.session, request)

    def renew_records(self, subscription_id: str, *, expires_at: datetime) -> LiveSubscription:
        """See :func:`meetings.providers.teams.record_subscriptions.renew`."""
        return record_subscriptions.renew(self.connection, self.session, subscription_id, expires_at=expires_at)

    def unsubscribe_from_records(self, subscription_id: str) -> None:
        """See :func:`meetings.providers.teams.record_subscriptions.unsubscribe`."""
        record_subscriptions.unsubscribe(self.connection, self.session, subscription_id)

    def call_record(self, record_id: str) -> CallRecordHead | None:
        """See :func:`meetings.providers.teams.call_records.call_record`."""
        return call_records.call_record(self.connection, self.session, record_id)

    def call_records(self, *, since: datetime, until: datetime) -> Iterator[CallRecordHead]:
        """See :func:`meetings.providers.teams.call_records.call_records`."""
        return call_records.call_records(self.connection, self.session, since=since, until=until)

    def call_streams(self, record_id: str) -> list[CallStreamMeasures]:
        """See :func:`meetings.providers.teams.call_records.call_streams`."""
        return call_records.call_streams(self.connection, self.session, record_id)

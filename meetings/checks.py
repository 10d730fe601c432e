"""Lines of the pre-flight check: does Microsoft let us hold a meeting.

One meeting is made, listened to and deleted for all lines together. Its subject names no patient.
"""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse

from config_portal import doctor
from config_portal.doctor import CheckContext, CheckResult, Fixer, Group, SetupCheck, failed, passed, skipped
from config_portal.models import SigningKey, TeamsTenant
from config_portal.services.explaining import explain
from config_portal.services.keys import active_key
from core.errors import ConfigurationError, ConnectorError
from meetings.providers.base import EncryptionKey, MeetingOptions, MeetingRequest, OnlineMeeting, SubscriptionRequest
from meetings.providers.teams import token
from meetings.providers.teams.provider import TeamsProvider
from meetings.services.suppliers import teams_connection

_LASTS = timedelta(minutes=30)
_POLICY_MISSING = "graph.access_policy_missing"
_PERMISSION_MISSING = "graph.permission_missing"


@dataclass
class Trial:
    """What became of the meeting that was tried."""

    meeting: OnlineMeeting | None = None
    refused: ConnectorError | None = None
    not_subscribed: ConnectorError | None = None
    not_deleted: ConnectorError | None = None
    is_fallback: bool = False
    differences: dict[str, Any] = field(default_factory=dict)


def register() -> None:
    """Put the lines on the list."""
    lines = (
        SetupCheck(name="graph-token", title="Token for Microsoft Graph", order=Group.TEAMS, run=graph_token),
        SetupCheck(name="access-policy", title="Application access policy", order=Group.TEAMS + 10, run=access_policy),
        SetupCheck(name="meeting", title="Make and delete a meeting", order=Group.TEAMS + 20, run=meeting),
        SetupCheck(name="patient-link", title="Patients join in the browser", order=Group.TEAMS + 30, run=patient_link),
        SetupCheck(name="subscription", title="Hear who comes and goes", order=Group.TEAMS + 40, run=subscription),
        SetupCheck(name="call-records", title="Read call records", order=Group.TEAMS + 50, run=call_records),
    )
    for line in lines:
        doctor.register(line)


def graph_token(context: CheckContext) -> CheckResult:
    """Check that Entra accepts the certificate or secret."""
    tenant = _tenant(context)
    token.access_token(teams_connection(tenant), context.session())
    return passed(f"Entra accepts the {'certificate' if tenant.certificate else 'client secret'}.")


def access_policy(context: CheckContext) -> CheckResult:
    """Check that Teams lets the application act for the organizer."""
    trial = _trial(context)
    if trial.refused is not None and trial.refused.code == _POLICY_MISSING:
        return explain(trial.refused)
    if trial.refused is not None:
        return skipped("Not reached: the meeting was refused for another reason.")
    return passed("Teams lets the connector organize meetings for this account.")


def meeting(context: CheckContext) -> CheckResult:
    """Check that a meeting is made with the options asked for, and deleted again."""
    trial = _trial(context)
    if trial.refused is not None:
        is_policy = trial.refused.code == _POLICY_MISSING
        return skipped("After the application access policy.") if is_policy else explain(trial.refused)
    if trial.not_deleted is not None:
        return explain(trial.not_deleted)
    if trial.differences:
        return failed(
            f"Teams set other options than asked for: {', '.join(sorted(trial.differences))}.",
            who=Fixer.TEAMS_ADMIN,
            todo="Compare the tenant's meeting policies with the page Microsoft Teams.",
            code="graph.options_differ",
            link=reverse("teams:settings"),
            link_label="Microsoft Teams",
        )
    return passed("A meeting was made with the chosen options and deleted again.")


def patient_link(context: CheckContext) -> CheckResult:
    """Check that patients get an address that needs no account."""
    trial = _trial(context)
    if trial.meeting is None:
        return skipped("After a meeting could be made.")
    if trial.is_fallback:
        return failed(
            "Graph gives no address for joining in the browser; patients would get the ordinary one.",
            who=Fixer.ADMIN,
            todo="Grant the application permission VirtualAppointment.Read.All and give admin consent.",
            code="graph.no_patient_link",
        )
    return passed("Patients join in the browser, without an account.")


def subscription(context: CheckContext) -> CheckResult:
    """Check that Graph reaches our notification address and accepts our certificate."""
    trial = _trial(context)
    if trial.meeting is None:
        return skipped("After a meeting could be made.")
    if trial.not_subscribed is not None:
        found = explain(trial.not_subscribed)
        address = settings.PUBLIC_URL + reverse("meetings:graph-notifications")
        return failed(
            f"{found.cause} Without it nobody sees who waits.",
            who=found.who,
            todo=f"{found.todo} Graph must reach {address} from the internet.",
            code=found.code,
        )
    return passed("Graph reached the connector's notification address.")


def call_records(context: CheckContext) -> CheckResult:
    """Check that Graph lets us read the tenant's call records; visits take place without them too."""
    provider = TeamsProvider(teams_connection(_tenant(context)), context.session())
    try:
        next(provider.call_records(since=context.now - _LASTS, until=context.now), None)
    except ConfigurationError as error:
        if error.code != _PERMISSION_MISSING:
            raise
        return skipped(
            "Not granted: the application permission CallRecords.Read.All. It is optional; without it the reports "
            "say nothing about call quality."
        )
    return passed("Graph lets the connector read how picture and sound were.")


def _trial(context: CheckContext) -> Trial:
    return context.shared("meetings.trial", lambda: _try(context))


def _try(context: CheckContext) -> Trial:
    """Make a meeting, listen to it and delete it; every refusal is kept for the line it belongs to."""
    tenant = _tenant(context)
    organizer = str(tenant.organizer_object_id)
    provider = TeamsProvider(teams_connection(tenant), context.session())
    trial = Trial()
    try:
        trial.meeting = provider.ensure_meeting(_request(context, tenant))
    except ConnectorError as error:
        trial.refused = error
        return trial
    trial.differences = trial.meeting.option_differences
    trial.is_fallback = provider.patient_link(trial.meeting, organizer_object_id=organizer).is_fallback
    try:
        live = provider.subscribe(_subscription(context, trial.meeting))
        provider.unsubscribe(live.id)
    except ConnectorError as error:
        trial.not_subscribed = error
    try:
        provider.delete_meeting(trial.meeting.id, organizer_object_id=organizer)
    except ConnectorError as error:
        trial.not_deleted = error
    return trial


def _request(context: CheckContext, tenant: TeamsTenant) -> MeetingRequest:
    return MeetingRequest(
        external_id=f"preflight-{uuid.uuid4()}",
        organizer_object_id=str(tenant.organizer_object_id),
        subject="Pre-flight check of the EHR connector",
        starts_at=context.now,
        ends_at=context.now + _LASTS,
        options=MeetingOptions(
            lobby_scope=tenant.lobby_scope, presenters=tenant.allowed_presenters, chat=tenant.meeting_chat
        ),
    )


def _subscription(context: CheckContext, online: OnlineMeeting) -> SubscriptionRequest:
    key = active_key(
        context.endpoint.organization,
        environment=context.endpoint.environment,
        purpose=SigningKey.Purpose.NOTIFICATION,
    )
    return SubscriptionRequest(
        join_web_url=online.join_web_url,
        notification_url=settings.PUBLIC_URL + reverse("meetings:graph-notifications"),
        lifecycle_url=settings.PUBLIC_URL + reverse("meetings:graph-lifecycle"),
        client_state=secrets.token_urlsafe(32),
        key=EncryptionKey(key_id=key.key_id, certificate=key.certificate),
        expires_at=context.now + _LASTS,
    )


def _tenant(context: CheckContext) -> TeamsTenant:
    tenant: TeamsTenant | None = getattr(context.endpoint.organization, "teams_tenant", None)
    if tenant is None or not tenant.is_complete:
        raise ConfigurationError("teams.not_configured", "No application or organizer is set up for the meetings.")
    return tenant

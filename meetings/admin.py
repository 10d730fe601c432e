"""Facts about meetings for support staff: to read, never to change."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from meetings.models import InboundNotification, Meeting, Participant, PresenceEvent, RecordSubscription, Subscription
from visits.timeline_links import TimelineLinkMixin


@admin.register(Meeting)
class MeetingAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """Meetings, found by the reference of their visit."""

    organization_path = "organization"
    list_display = [
        "visit",
        "state",
        "created_at",
        "started_at",
        "ended_at",
        "patient_link_is_fallback",
        "error_code",
        "timeline",
    ]
    list_filter = ["state", "patient_link_is_fallback"]
    list_select_related = ["visit"]
    search_fields = ["visit__reference"]
    exclude = ["graph_id", "join_web_url", "patient_join_url"]  # whoever has the address can enter


@admin.register(Participant)
class ParticipantAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """Participants by role and number."""

    organization_path = "organization"
    visit_path = "meeting__visit_id"
    list_display = ["label", "meeting", "state", "state_at", "timeline"]
    list_filter = ["role", "state"]
    list_select_related = ["meeting__visit"]
    search_fields = ["meeting__visit__reference"]
    exclude = ["ehr_user_id", "ehr_user_index", "contact"]


@admin.register(PresenceEvent)
class PresenceEventAdmin(ReadOnlyAdmin):
    """Who came and went."""

    organization_path = "participant__organization"
    list_display = ["participant", "sequence", "kind", "at", "source", "is_superseded"]
    list_filter = ["kind", "source"]
    list_select_related = ["participant"]
    search_fields = ["participant__meeting__visit__reference"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions and what hinders them."""

    organization_path = "meeting__organization"
    list_display = ["meeting", "state", "expires_at", "due_at", "attempts", "error_code"]
    list_filter = ["state"]
    list_select_related = ["meeting__visit"]
    search_fields = ["meeting__visit__reference", "graph_id"]
    exclude = ["client_state"]


@admin.register(RecordSubscription)
class RecordSubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions to call records and what hinders them."""

    organization_path = "tenant__organization"
    list_display = ["tenant", "state", "expires_at", "due_at", "attempts", "error_code"]
    list_filter = ["state"]
    list_select_related = ["tenant"]
    search_fields = ["graph_id"]
    exclude = ["client_state"]


@admin.register(InboundNotification)
class InboundNotificationAdmin(ReadOnlyAdmin):
    """What Graph posted, without its content."""

    list_display = ["sha256", "channel", "received_at", "state", "error_code", "attempts"]
    list_filter = ["state", "channel"]
    exclude = ["raw"]

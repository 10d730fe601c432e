"""Texts for support staff: what was due, what became of it, never to whom beyond two digits."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin import ReadOnlyAdmin, ReasonActionForm, reason_given
from core.errors import ConfigurationError
from core.jobs import enqueue_after_commit
from sms import tasks
from sms.models import DeliveryEvent, OptOut, PhoneNumber, SmsConfiguration, SmsMessage
from sms.services import drafts, resending
from visits.timeline_links import TimelineLinkMixin


@admin.register(SmsMessage)
class SmsMessageAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """Texts, found by the reference of their visit."""

    organization_path = "organization"
    list_display = [
        "visit",
        "kind",
        "state",
        "due_at",
        "accepted_at",
        "delivered_at",
        "number_ending",
        "error_code",
        "timeline",
    ]
    list_filter = ["state", "kind", "supplier"]
    list_select_related = ["visit"]
    search_fields = ["=visit__reference", "=supplier_message_id"]
    ordering = ["-due_at"]
    exclude = ["contact"]
    actions = ["send_again"]
    action_form = ReasonActionForm

    @admin.action(description="Send again (give a reason)", permissions=["view"])
    def send_again(self, request: HttpRequest, rows: QuerySet[SmsMessage]) -> None:
        """Send another copy of texts that did not arrive."""
        reason = reason_given(self, request)
        if not reason:
            return
        for text in rows.select_related("visit", "contact"):
            try:
                resending.resend(text, reason=reason, actor=request.user.get_username(), now=timezone.now())
            except ConfigurationError as error:
                self.message_user(request, f"{text.visit}: {error.user_message}", messages.WARNING)
            else:
                self.message_user(request, f"{text.visit}: to be sent again.", messages.SUCCESS)
        enqueue_after_commit(tasks.deliver_due)


@admin.register(DeliveryEvent)
class DeliveryEventAdmin(ReadOnlyAdmin):
    """What suppliers reported."""

    organization_path = "message__organization"
    list_display = ["message", "supplier", "state", "code", "at"]
    list_filter = ["supplier", "state"]
    list_select_related = ["message"]


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ReadOnlyAdmin):
    """Numbers that texts are sent from."""

    organization_path = "organization"
    list_display = ["number", "organization", "supplier"]
    list_select_related = ["organization"]


@admin.register(SmsConfiguration)
class SmsConfigurationAdmin(ReadOnlyAdmin):
    """What is texted for each FHIR endpoint, as drafted."""

    organization_path = "endpoint__organization"
    list_display = ["endpoint", "number", "confirms_scheduled", "confirms_moved", "confirms_cancelled", "is_paused"]
    list_select_related = ["endpoint", "number"]
    actions = ["pause"]
    action_form = ReasonActionForm

    @admin.action(description="Pause texts at once (give a reason)", permissions=["view"])
    def pause(self, request: HttpRequest, rows: QuerySet[SmsConfiguration]) -> None:
        """Send nothing for these connections; an administrator or analyst lets texts go out again."""
        reason = reason_given(self, request)
        for row in rows.select_related("endpoint") if reason else ():
            if drafts.pause(row.endpoint, reason=reason, actor=request.user.get_username()):
                self.message_user(request, f"Texts of {row.endpoint.name} are paused.", messages.SUCCESS)


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    """Who replied STOP; only an index of the number is kept."""

    organization_path = "organization"
    list_display = ["organization", "source", "created_at", "ended_at"]
    list_filter = ["source"]
    list_select_related = ["organization"]
    exclude = ["phone_index"]

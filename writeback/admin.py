"""Write-backs for support staff: facts to read, and two decisions that cannot confuse Epic."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.admin import ReadOnlyAdmin, ReasonActionForm
from core.jobs import wake_after_commit
from visits.timeline_links import TimelineLinkMixin
from writeback import tasks
from writeback.models import Circuit, WritebackConfiguration, WritebackEvent
from writeback.services import outbox


@admin.register(WritebackEvent)
class WritebackEventAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """What was told to Epic, when, and what it answered."""

    organization_path = "organization"
    list_display = [
        "occurred_at",
        "visit",
        "who",
        "kind",
        "state",
        "error_code",
        "epic_code",
        "attempts",
        "http_status",
        "response_ms",
        "timeline",
    ]
    list_filter = ["state", "kind", ("endpoint", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["visit", "participant"]
    search_fields = ["=visit__reference", "=request_id"]
    date_hierarchy = "occurred_at"
    ordering = ["-occurred_at"]
    actions = ["retry", "mark_handled"]
    action_form = ReasonActionForm

    @admin.action(description="Send again", permissions=["view"])
    def retry(self, request: HttpRequest, rows: QuerySet[WritebackEvent]) -> None:
        """Put failed rows back in line."""
        chosen = list(rows.select_related("visit").order_by("sequence"))
        decided = outbox.retry(chosen, actor=request.user.get_username(), now=timezone.now())
        for endpoint_id in {row.endpoint_id for row in chosen}:
            wake_after_commit(tasks.deliver, str(endpoint_id))
        self.message_user(request, f"{decided.done} to be sent again.", messages.SUCCESS)
        if decided.skipped:
            text = f"{decided.skipped} left alone: not failed, or Epic has had later news about the same person."
            self.message_user(request, text, messages.WARNING)

    @admin.action(description="Mark as handled (give a reason)", permissions=["view"])
    def mark_handled(self, request: HttpRequest, rows: QuerySet[WritebackEvent]) -> None:
        """Take rows off the list of what needs a person."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, "Nothing was changed: write the reason beside the action.", messages.ERROR)
            return
        decided = outbox.mark_handled(
            rows.select_related("visit"), actor=request.user.get_username(), reason=reason, now=timezone.now()
        )
        self.message_user(request, f"{decided.done} marked as handled.", messages.SUCCESS)
        if decided.skipped:
            text = f"{decided.skipped} left alone: on the way, or settled already."
            self.message_user(request, text, messages.WARNING)


@admin.register(Circuit)
class CircuitAdmin(ReadOnlyAdmin):
    """Whether each Epic can be reached."""

    organization_path = "endpoint__organization"
    list_display = ["endpoint", "failures", "opened_at", "retry_at", "error_code", "accepted_at"]
    list_select_related = ["endpoint"]


@admin.register(WritebackConfiguration)
class WritebackConfigurationAdmin(ReadOnlyAdmin):
    """What was chosen for each FHIR endpoint, as drafted."""

    list_display = ["endpoint", "means", "device_tests", "authorization", "most_at_once", "most_a_second"]
    list_select_related = ["endpoint"]
    exclude = ["basic_password"]

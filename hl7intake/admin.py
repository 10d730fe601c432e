"""The operator's view of senders and messages: read only."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core.admin import ReadOnlyAdmin
from core.jobs import enqueue_after_commit
from hl7intake import tasks
from hl7intake.models import InboundMessage, RefusedSender, SenderCertificate, SenderWatch
from hl7intake.services import replaying
from visits.timeline_links import TimelineLinkMixin


@admin.register(SenderCertificate)
class SenderCertificateAdmin(ReadOnlyAdmin):
    """Pinned certificates."""

    organization_path = "organization"
    list_display = ["subject", "organization", "endpoint", "not_after", "revoked_at"]
    list_filter = [("organization", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["organization", "endpoint"]
    search_fields = ["subject", "fingerprint"]


@admin.register(RefusedSender)
class RefusedSenderAdmin(ReadOnlyAdmin):
    """Who was not let in, strangers too: whose engine they were, only the operator may guess."""

    organization_path = "organization"
    list_display = ["last_at", "peer", "reason", "certificate", "organization", "count"]
    list_filter = ["reason"]
    list_select_related = ["organization", "certificate"]
    search_fields = ["peer"]
    date_hierarchy = "last_at"


@admin.register(SenderWatch)
class SenderWatchAdmin(ReadOnlyAdmin):
    """After how long a silence somebody is told, and which silences last."""

    organization_path = "endpoint__organization"
    list_display = ["endpoint", "hours", "alerted_at"]
    list_select_related = ["endpoint"]


@admin.register(InboundMessage)
class InboundMessageAdmin(TimelineLinkMixin, ReadOnlyAdmin):
    """Messages, without what is kept encrypted."""

    organization_path = "organization"
    exclude = ["raw", "session_index"]
    list_display = [
        "received_at",
        "organization",
        "endpoint",
        "trigger",
        "state",
        "reason",
        "ack_code",
        "answered",
        "error_code",
        "timeline",
        "explained",
    ]
    list_filter = ["state", "trigger", "transport", ("organization", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["organization", "endpoint"]
    search_fields = ["=control_id", "=visit__reference"]
    search_help_text = "Control id, or the visit's reference"
    date_hierarchy = "received_at"
    actions = ["replay"]

    @admin.display(description="Explained")
    def explained(self, message: InboundMessage) -> str:
        """Link to the message browser: segments, differences, acknowledgement and certificate."""
        return format_html('<a href="{}">Open</a>', reverse("hl7:message", args=[message.pk]))

    @admin.action(description="Apply again", permissions=["view"])
    def replay(self, request: HttpRequest, rows: QuerySet[InboundMessage]) -> None:
        """Give messages that did not take effect another chance, in their order."""
        chosen = InboundMessage.objects.filter(pk__in=rows.values("pk"))
        replayed = replaying.replay(chosen, actor=request.user.get_username(), now=timezone.now())
        enqueue_after_commit(tasks.apply_received)
        self.message_user(request, f"{replayed.count} put back.", messages.SUCCESS)
        if replayed.superseded:
            text = f"{replayed.superseded} were sent again by Epic meanwhile."
            self.message_user(request, text, messages.WARNING)

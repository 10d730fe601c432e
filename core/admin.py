"""Django admin is the support desk: facts to read, and safe actions. This is the base of every page there.

The operator sees every organization; support staff of a hospital see the one they work in, and of it only what has
an :attr:`ReadOnlyAdmin.organization_path`.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from core.audit import PLATFORM
from core.models import AuditEvent, Heartbeat
from core.support_desk import is_operator, is_support


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows; adds, changes and deletes none.

    ``organization_path`` is the look-up from a row to its organization; without one a page is the operator's alone.
    """

    organization_path = ""
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return what the person may see: everything, or the rows of the organization they work in."""
        rows: QuerySet[Any] = super().get_queryset(request)
        if is_operator(request):
            return rows
        organization = getattr(request, "organization", None)
        if organization is None or not self.organization_path:
            return rows.none()
        return rows.filter(**{self.organization_path: organization})

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the page is on the person's list."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Let the operator see everything, and support staff what belongs to an organization."""
        return is_operator(request) or (is_support(request) and bool(self.organization_path))

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: what is shown here is made by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: facts are read."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Refuse: what happened stays."""
        return False


class ReasonActionForm(ActionForm):
    """The line above a list, with room for why an action is taken; the audit trail keeps it."""

    reason = forms.CharField(max_length=200, required=False, label="Reason")


def reason_given(page: admin.ModelAdmin[Any], request: HttpRequest) -> str:
    """Return the reason written beside an action; without one say that nothing was done, and return ''."""
    reason = str(request.POST.get("reason", "")).strip()
    if not reason:
        page.message_user(request, "Nothing was done: write the reason beside the action.", messages.ERROR)
    return reason


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit trail, found by the reference number that a person was shown.

    The operator sees of a hospital's events that they are whole, not who did what: that is the hospital's
    own audit page. Events of no hospital are shown in full.
    """

    list_display = ["at", "action", "reference", "organization_id", "sequence", "digest_text"]
    list_filter = ["action"]
    search_fields = ["=reference"]
    ordering = ["-at"]

    def get_fields(self, request: HttpRequest, obj: AuditEvent | None = None) -> list[Any]:
        """Return what is shown of an event."""
        whole = ["at", "action", "reference", "organization_id", "sequence", "previous_text", "digest_text"]
        return [*whole, "actor", "subject_type", "subject_id", "data"] if obj and _is_of_platform(obj) else whole

    def get_readonly_fields(self, request: HttpRequest, obj: AuditEvent | None = None) -> list[Any]:
        """Return the same: nothing is changed here."""
        return self.get_fields(request, obj)

    @admin.display(description="Digest")
    def digest_text(self, event: AuditEvent) -> str:
        """Return the digest in hexadecimal."""
        return bytes(event.digest).hex()

    @admin.display(description="Digest of the event before")
    def previous_text(self, event: AuditEvent) -> str:
        """Return the digest of the event before in hexadecimal."""
        return bytes(event.previous).hex() or "none"


def _is_of_platform(event: AuditEvent) -> bool:
    return event.organization_id == PLATFORM


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When each process was last seen alive."""

    list_display = ["name", "at"]

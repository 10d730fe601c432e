"""Visits for support staff: found by reference, linked to their timeline, without a number or an id of Epic's."""

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from visits.models import JoinLink, Visit
from visits.timeline_links import timeline_link


@admin.register(Visit)
class VisitAdmin(ReadOnlyAdmin):
    """Visits."""

    organization_path = "organization"
    list_display = ["reference", "organization", "endpoint", "state", "starts_at", "version", "timeline"]
    list_filter = ["state", "endpoint__environment"]
    list_select_related = ["organization", "endpoint"]
    search_fields = ["=reference"]
    ordering = ["-starts_at"]
    exclude = [
        "session_id",
        "session_index",
        "conference_id",
        "conference_index",
        "fhir_patient_id",
        "fhir_encounter_id",
    ]

    @admin.display(description="Timeline")
    def timeline(self, visit: Visit) -> str:
        """Link to the visit's page in the portal."""
        return timeline_link(visit.pk)


@admin.register(JoinLink)
class JoinLinkAdmin(ReadOnlyAdmin):
    """Which links lead where and why others no longer do."""

    organization_path = "visit__organization"
    list_display = ["pk", "visit", "created_at", "ended_at", "ending"]
    list_filter = ["ending"]
    list_select_related = ["visit"]
    search_fields = ["=visit__reference"]
    exclude = ["token_index", "contact"]

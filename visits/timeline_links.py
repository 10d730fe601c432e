"""From a row of the support desk to the visit's timeline in the portal."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models.constants import LOOKUP_SEP
from django.urls import reverse
from django.utils.html import format_html


def timeline_link(visit_id: UUID | None) -> str:
    """Return a link to the timeline of a visit, '' without one."""
    if visit_id is None:
        return ""
    return format_html('<a href="{}">Timeline</a>', reverse("visits:detail", args=[visit_id]))


class TimelineLinkMixin:
    """Adds the column ``timeline`` to a list; ``visit_path`` leads from a row to its visit's id."""

    visit_path = "visit_id"

    @admin.display(description="Visit")
    def timeline(self, row: Any) -> str:
        """Link to the visit's page in the portal."""
        value = row
        for name in self.visit_path.split(LOOKUP_SEP):
            value = getattr(value, name, None)
        return timeline_link(value)

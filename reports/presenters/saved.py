"""Saved views in words."""

from dataclasses import dataclass

from django.urls import reverse

from reports.models import SavedView


@dataclass(frozen=True)
class SavedRow:
    """One saved view."""

    view: SavedView
    url: str
    is_own: bool

    @property
    def owner(self) -> str:
        """Whose it is."""
        return "You" if self.is_own else self.view.owner.username

    @property
    def sending(self) -> str:
        """How often it is sent, and to how many."""
        if not self.view.cadence:
            return "Not at all"
        count = len(self.view.recipients)
        return f"{self.view.get_cadence_display()}, to {count} {'person' if count == 1 else 'people'}"

    @property
    def problem(self) -> str:
        """Why it could not be sent last, if so."""
        return f"Not sent last time ({self.view.error_code})" if self.view.error_code else ""

    @property
    def schedule_url(self) -> str:
        """Where its sending is changed."""
        return reverse("reports:schedule", args=[self.view.pk])

    @property
    def remove_url(self) -> str:
        """Where it is removed."""
        return reverse("reports:remove_view", args=[self.view.pk])

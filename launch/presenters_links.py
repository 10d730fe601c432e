"""Context-aware links in the words of those who set them up."""

from dataclasses import dataclass

from django.urls import reverse

from config_portal.models import FhirEndpoint
from launch.models import ContextLink


@dataclass(frozen=True)
class LinkCard:
    """One FHIR endpoint, with its ``context_link`` joined."""

    endpoint: FhirEndpoint

    @property
    def environment_tone(self) -> str:
        """The tone of the environment."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def state(self) -> tuple[str, str]:
        """Tone and words for whether links open visits."""
        return ("info", "On, in the draft") if self._link and self._link.is_enabled else ("neutral", "Off")

    @property
    def sentence(self) -> str:
        """What is set up."""
        if self._link is None or not self._link.is_enabled:
            return "Visits are opened by SMART launch only."
        age = self._link.longest_age_seconds
        limit = f"no older than {age} s" if age else "of any age"
        return f"Visits are also opened by encrypted links in the parameter {self._link.parameter}, {limit}."

    @property
    def url(self) -> str:
        """Where it is changed."""
        return reverse("links:setup", args=[self.endpoint.pk])

    @property
    def change_label(self) -> str:
        """Names the act and the endpoint."""
        return f"Change {self.endpoint.name}"

    @property
    def _link(self) -> ContextLink | None:
        return getattr(self.endpoint, "context_link", None)

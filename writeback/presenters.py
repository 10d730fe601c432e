"""How Epic is told, in words."""

from dataclasses import dataclass

from django.urls import reverse

from config_portal.models import FhirEndpoint
from writeback.models import WritebackConfiguration
from writeback.services import drafts

Rows = list[tuple[str, str]]


@dataclass(frozen=True)
class EndpointCard:
    """What is chosen for one FHIR endpoint."""

    endpoint: FhirEndpoint
    draft: WritebackConfiguration

    @property
    def url(self) -> str:
        """Where it is changed."""
        return reverse("writeback:setup", args=[self.endpoint.pk])

    @property
    def change_label(self) -> str:
        """Names the act and the endpoint."""
        return f"Change {self.endpoint.name}"

    @property
    def title(self) -> str:
        """The endpoint's name."""
        return self.endpoint.name

    @property
    def environment_tone(self) -> str:
        """The colour that goes with the environment's written name."""
        return "bad" if self.endpoint.is_production else "warn"

    @property
    def status(self) -> str:
        """Whether what is shown runs."""
        return "Needs approval" if drafts.needs_approval(self.endpoint) else "Approved"

    @property
    def status_tone(self) -> str:
        """The tone of :attr:`status`."""
        return "ok" if self.status == "Approved" else "info"

    @property
    def rows(self) -> Rows:
        """The choices, name and value."""
        draft = self.draft
        return [
            ("Coming and going", str(draft.get_means_display())),
            ("Device tests", str(draft.get_device_tests_display())),
            ("Proven by", str(draft.get_authorization_display())),
            ("Limits", f"{draft.most_at_once} calls at once, {draft.most_a_second} a second"),
        ]

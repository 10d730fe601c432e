"""The wording of pages about an organization."""

from dataclasses import dataclass

from config_portal.models import AccessRequest, Organization
from core.moments import written


@dataclass(frozen=True)
class OrganizationPage:
    """What an organization may use, and where its data is."""

    organization: Organization

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What the operator decided."""
        organization = self.organization
        tenant = getattr(organization, "teams_tenant", None)
        test, production = organization.test_authorized_at, organization.production_authorized_at
        zone = organization.time_zone
        return [
            ("Testing", f"Since {written(test, style='date', zone_name=zone)}" if test else "Not authorized yet"),
            (
                "Production",
                f"Since {written(production, style='date', zone_name=zone)}"
                if production
                else "Opens when the operator of the EHR connector has recorded your subscription",
            ),
            ("Region", organization.get_region_display()),
            ("Entra tenant", str(tenant.tenant_id) if tenant else "Not known"),
        ]


@dataclass(frozen=True)
class AccessPage:
    """What became of a request for access."""

    request: AccessRequest

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has decided yet."""
        return self.request.state == AccessRequest.State.WAITING

    @property
    def title(self) -> str:
        """What became of it, in a few words."""
        if self.is_waiting:
            return f"{self.request.name} waits for the operator of the EHR connector"
        return f"The request of {self.request.name} was {self.request.get_state_display().lower()}"

    @property
    def text(self) -> str:
        """Since when, or why."""
        if self.is_waiting:
            since = written(self.request.created_at, style="day")
            return f"Asked by {self.request.requested_by} on {since}. Once granted, this page is the setup."
        return self.request.reason or "Ask the operator of the EHR connector why."

    @property
    def tone(self) -> str:
        """The tone of :attr:`title`."""
        return "info" if self.is_waiting else "warn"

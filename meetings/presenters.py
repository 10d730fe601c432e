"""The wording of the page Microsoft Teams."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config_portal.models import OrganizerMode, TeamsTenant
from core.moments import written
from meetings.providers.teams.graph import POLICY_NAME
from meetings.services.tenant import thumbprint

SOON, VERY_SOON = timedelta(days=30), timedelta(days=7)


@dataclass(frozen=True)
class TenantPage:
    """What there is, and what is missing."""

    tenant: TeamsTenant
    now: datetime

    @property
    def credential(self) -> list[tuple[str, str]]:
        """What proves the connector at Entra."""
        tenant = self.tenant
        rows = []
        if tenant.certificate:
            rows.append(("Certificate", f"Thumbprint {thumbprint(tenant.certificate)}"))
            rows.append(("Valid until", _moment(tenant.certificate_expires_at, zone=tenant.organization.time_zone)))
        if tenant.client_secret is not None:
            use = "Kept, not used while there is a certificate" if tenant.certificate else "In use"
            rows.append(("Client secret", f"{use}, never shown"))
            rows.append(("Last day of the secret", _date(tenant)))
        return rows

    @property
    def warning(self) -> str:
        """That the credential in use lapses soon, or nothing."""
        left = self._left()
        if left is None or left > SOON:
            return ""
        what = "certificate" if self.tenant.certificate else "client secret"
        if left <= timedelta(0):
            return f"The {what} has expired: no meeting can be made."
        days = max(left.days, 1)
        return f"The {what} expires in {days} day{'s' if days > 1 else ''}. Make a certificate below to replace it."

    @property
    def warning_tone(self) -> str:
        """How urgent :attr:`warning` is."""
        left = self._left()
        return "bad" if left is not None and left <= VERY_SOON else "warn"

    @property
    def next_thumbprint(self) -> str:
        """Of the certificate that waits to be registered; '' without one."""
        return thumbprint(self.tenant.next_certificate) if self.tenant.next_certificate else ""

    @property
    def policy_commands(self) -> list[tuple[str, str]]:
        """The cmdlets of the application access policy, filled in; none before application and organizer are known."""
        tenant = self.tenant
        if not tenant.is_complete:
            return []
        is_personal = tenant.organizer_mode == OrganizerMode.FIRST_PROVIDER
        target = "-Global" if is_personal else f'-Identity "{tenant.organizer_object_id}"'
        return [
            ("Connect", "Connect-MicrosoftTeams"),
            ("Make the policy", f'New-CsApplicationAccessPolicy -Identity {POLICY_NAME} -AppIds "{tenant.client_id}"'),
            ("Grant it", f"Grant-CsApplicationAccessPolicy -PolicyName {POLICY_NAME} {target}"),
        ]

    def _left(self) -> timedelta | None:
        expires_at = self.tenant.credential_expires_at
        return expires_at - self.now if expires_at else None


def _moment(moment: datetime | None, *, zone: str) -> str:
    return written(moment, zone_name=zone) if moment else "Not known"


def _date(tenant: TeamsTenant) -> str:
    day = tenant.client_secret_expires_on
    return f"{day:%b} {day.day}, {day.year}" if day else "Not known: enter the secret again with its last day"

"""Staff users: who they are in Microsoft Entra, and nothing else about them."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a staff user may do, from the app roles of the connector's Entra application."""

    ADMIN = "admin", "Administrator"
    ANALYST = "analyst", "Epic analyst"
    SUPPORT = "support", "Support"
    REPORT_READER = "report_reader", "Report reader"

    @classmethod
    def from_app_role(cls, value: str) -> "Role | None":
        """Return the role that an Entra app role such as ``Connector.ReportReader`` stands for."""
        return _APP_ROLES.get(value)


_APP_ROLES = {
    "Connector.Admin": Role.ADMIN,
    "Connector.Analyst": Role.ANALYST,
    "Connector.Support": Role.SUPPORT,
    "Connector.ReportReader": Role.REPORT_READER,
}


class User(AbstractUser):
    """A person of the hospital's staff, identified by tenant and object id, never by a mutable name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    first_name = None  # type: ignore[assignment]  # names are not kept
    last_name = None  # type: ignore[assignment]
    entra_tenant_id = models.UUIDField(null=True, blank=True)
    entra_object_id = models.UUIDField(null=True, blank=True)
    roles = models.JSONField(default=list, help_text="Roles at the last sign-in; read again at each one.")

    REQUIRED_FIELDS = []

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entra_tenant_id", "entra_object_id"], name="user_entra_identity")
        ]

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        """Return what the user is called on screen: the user name, since no name is kept."""
        return self.username

    def get_short_name(self) -> str:
        """Return the part of the user name before the domain."""
        return self.username.partition("@")[0]

    @property
    def initials(self) -> str:
        """Return two letters for the avatar, from the user name."""
        parts = [part for part in self.get_short_name().replace("-", ".").split(".") if part]
        return "".join(part[0] for part in parts[:2]).upper() or "?"

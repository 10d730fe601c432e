"""Invitations on the provider's page."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from launch.models import Invitation
from launch.services import invitations
from visits.models import Visit

# As what people may be invited, and what the button says.
ROLES = [(role.value, role.label) for role in Invitation.Role]


@dataclass(frozen=True)
class InvitationRow:
    """One invitation. ``number`` tells several of one role apart; Teams' own numbers come with the people."""

    invitation: Any  # with ``uses``, as invitations.of_visit gives it
    number: int
    now: datetime

    @property
    def id(self) -> str:
        """The id by which it is taken back."""
        return str(self.invitation.pk)

    @property
    def label(self) -> str:
        """As what the person is invited, such as ``Interpreter, invitation 1``."""
        return f"{self.invitation.get_role_display()}, invitation {self.number}"

    @property
    def take_back(self) -> str:
        """What the button does, for those who hear it alone."""
        return f"Take back: {self.label}"

    @property
    def address(self) -> str:
        """The link to pass on; '' once nobody can come by it."""
        return invitations.url_of(self.invitation) if self.invitation.is_open(now=self.now) else ""

    @property
    def state(self) -> tuple[str, str]:
        """Tone and words for what became of it."""
        if self.invitation.revoked_at is not None:
            return "neutral", "Taken back"
        if not self.address:
            return "neutral", "No longer valid"
        return ("ok", "Opened") if self.invitation.uses else ("info", "Not opened yet")


def rows(visit: Visit, *, now: datetime) -> list[InvitationRow]:
    """Return the invitations to ``visit``, numbered within each role."""
    seen: Counter[str] = Counter()
    found = []
    for invitation in invitations.of_visit(visit):
        seen[invitation.role] += 1
        found.append(InvitationRow(invitation, seen[invitation.role], now))
    return found

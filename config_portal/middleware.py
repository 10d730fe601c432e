"""Which organization a staff user is working in."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from config_portal.models import Membership
from config_portal.requests import PortalRequest

SESSION_KEY = "organization"


class OrganizationMiddleware:
    """Set ``organization``, ``organizations`` and ``roles`` on the request of signed-in staff.

    A person may work for several organizations; the one chosen last is in the session. Memberships are
    read anew for each request, so a role taken away ends at once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request``; without a membership it gets no organization and no roles."""
        if isinstance(request.user, User):
            _place(cast("PortalRequest", request))
        return self.get_response(request)


def _place(request: PortalRequest) -> None:
    memberships = list(Membership.objects.filter(user=request.user).select_related("organization"))
    organizations = {str(membership.organization_id): membership.organization for membership in memberships}
    request.organizations = sorted(organizations.values(), key=lambda organization: organization.name)
    request.roles = frozenset()
    if not memberships:
        return
    chosen = str(request.session.get(SESSION_KEY, ""))
    request.organization = organizations.get(chosen) or request.organizations[0]
    request.roles = frozenset(m.role for m in memberships if m.organization_id == request.organization.pk)

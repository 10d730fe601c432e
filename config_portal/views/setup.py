"""The way in, the Setup page and the organization switcher."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role, User
from config_portal.access import no_access, portal_page
from config_portal.middleware import SESSION_KEY
from config_portal.presenters.setup import SetupPage
from config_portal.requests import PortalRequest
from config_portal.services.setup import progress_of
from core.access import access
from core.navigation import links_for

SETUP_ROLES = (Role.ADMIN, Role.ANALYST)


@access("staff")
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Go to the first page of the rail that the person may open."""
    links = links_for(request)
    if links:
        return redirect(links[0].url)
    is_new = Role.ADMIN in cast("User", request.user).roles and not getattr(request, "organizations", ())
    return redirect("portal:request_access") if is_new else no_access(request)


@portal_page(*SETUP_ROLES)
@require_safe
def setup(request: PortalRequest) -> HttpResponse:
    """Show what is done, what is next and who waits for whom."""
    now = timezone.now()
    page = SetupPage(progress=progress_of(request.organization, now=now), now=now)
    return render(request, "config_portal/setup.html", {"setup": page})


@portal_page()
@require_POST
def switch_organization(request: PortalRequest) -> HttpResponse:
    """Work for another organization from now on."""
    chosen = request.POST.get("organization", "")
    if chosen not in {str(organization.pk) for organization in request.organizations}:
        raise Http404
    request.session[SESSION_KEY] = chosen
    return redirect("portal:home")

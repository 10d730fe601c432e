"""The organization's own page, and asking for access before there is one."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role, User
from config_portal.access import no_access, portal_page
from config_portal.forms.organization import AccessForm, OrganizationForm
from config_portal.presenters.crumbs import under_setup
from config_portal.presenters.organization import AccessPage, OrganizationPage
from config_portal.requests import PortalRequest
from config_portal.services.onboarding import latest_request, request_access
from config_portal.services.organizations import EDITABLE, change_organization
from config_portal.services.portable import export_configuration
from core.access import access
from core.errors import ConfigurationError

SETUP_ROLES = (Role.ADMIN, Role.ANALYST)
_FIELD_OF = {"access.other_tenant": "tenant_id", "organization.wrong_region": "region"}


@portal_page(*SETUP_ROLES)
@require_safe
def organization(request: PortalRequest) -> HttpResponse:
    """Show what the organization says about itself and what it may use."""
    mine = request.organization
    initial = {name: getattr(mine, name) for name in EDITABLE} | {"prerequisites": list(mine.prerequisites)}
    return _page(request, OrganizationForm(initial=initial))


@portal_page(Role.ADMIN)
@require_POST
def save_organization(request: PortalRequest) -> HttpResponse:
    """Save what was typed and ticked; texts and pages show it once it is approved."""
    form = OrganizationForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    confirmed = set(form.cleaned_data["prerequisites"])
    change_organization(
        request.organization,
        values={name: form.cleaned_data[name] for name in EDITABLE},
        confirmed=confirmed,
        actor=request.user.username,
        now=timezone.now(),
    )
    messages.success(request, "Saved.")
    return redirect("portal:setup")


@access("staff")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for access, or see what became of it; for administrators without an organization."""
    user = cast("User", request.user)
    if getattr(request, "organizations", ()):
        return redirect("portal:home")
    if Role.ADMIN not in user.roles:
        return no_access(request)
    latest = latest_request(user)
    form = AccessForm(request.POST or None, user=user, initial={"region": settings.DEPLOYMENT_REGION})
    if request.method == "POST" and form.is_valid() and _ask(user, form):
        return redirect("portal:home")
    return render(request, "config_portal/access.html", {"form": form, "asked": AccessPage(latest) if latest else None})


def _ask(user: User, form: AccessForm) -> bool:
    values = {name: value for name, value in form.cleaned_data.items() if name != "prerequisites"}
    try:
        request_access(user, values=values, confirmed=set(form.cleaned_data["prerequisites"]), now=timezone.now())
    except ConfigurationError as error:
        form.add_error(_FIELD_OF.get(error.code), error.user_message)
        return False
    return True


def _page(request: PortalRequest, form: OrganizationForm) -> HttpResponse:
    context = {"form": form, "crumbs": under_setup(), "mine": OrganizationPage(request.organization)}
    return render(request, "config_portal/organization.html", context)


@portal_page(Role.ADMIN)
@require_safe
def export(request: PortalRequest) -> HttpResponse:
    """Download the draft as the file that ``import_configuration`` reads."""
    response = HttpResponse(
        export_configuration(request.organization, now=timezone.now()), content_type="application/json"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{request.organization.slug}.json"'
    return response

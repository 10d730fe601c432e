"""FHIR base URLs: list, look before saving, add, change, share."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.forms.endpoint import EndpointForm
from config_portal.forms.sharing import InvitationForm
from config_portal.models import BaseUrlInvitation, Environment, FhirEndpoint
from config_portal.presenters.crumbs import ENDPOINTS, under_setup
from config_portal.presenters.endpoints import EndpointPage, EndpointRow, PreviewCard
from config_portal.requests import PortalRequest, show_band
from config_portal.services.endpoints import EDITABLE, add_endpoint, change_endpoint
from config_portal.services.preview import Preview, preview
from config_portal.services.setup import has_verified_test_endpoint, latest_runs
from config_portal.services.sharing import invite_affiliate, revoke_invitation
from core.errors import ConfigurationError

SETUP_ROLES = (Role.ADMIN, Role.ANALYST)
_FIELD_OF = {
    "organization.not_authorized": "environment",
    "endpoint.name_taken": "name",
    "endpoint.invitation_unknown": "code",
}


@portal_page(*SETUP_ROLES)
@require_safe
def listed(request: PortalRequest) -> HttpResponse:
    """List the organization's FHIR base URLs with their states."""
    mine = FhirEndpoint.objects.for_organization(request.organization).select_related("approved_version")
    endpoints = list(mine)
    runs = latest_runs(endpoints)
    rows = [EndpointRow(endpoint, runs.get(endpoint.pk)) for endpoint in endpoints]
    return render(request, "config_portal/endpoints.html", {"rows": rows, "crumbs": under_setup()})


@portal_page(*SETUP_ROLES)
@require_safe
def detail(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show one FHIR base URL: what was discovered, the draft, who shares it."""
    endpoint = _endpoint(request, endpoint_id)
    show_band(request, endpoint)
    page = EndpointPage(endpoint, latest_runs([endpoint]).get(endpoint.pk), now=timezone.now())
    invitations = endpoint.invitations.select_related("accepted_by")
    context = {"page_of": page, "invitations": invitations, "form": InvitationForm(), "now": timezone.now()}
    context["crumbs"] = under_setup(ENDPOINTS)
    return render(request, "config_portal/endpoint.html", context)


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PortalRequest) -> HttpResponse:
    """Add a FHIR base URL."""
    form = EndpointForm(request.POST or None, initial=_first_values(request))
    return _edit(request, form, endpoint=None)


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Change the draft of a FHIR base URL; what runs is untouched until the change is approved."""
    endpoint = _endpoint(request, endpoint_id)
    show_band(request, endpoint)
    form = EndpointForm(
        request.POST or None, endpoint=endpoint, initial={name: getattr(endpoint, name) for name in EDITABLE}
    )
    return _edit(request, form, endpoint=endpoint)


@portal_page(Role.ADMIN)
@require_POST
def preview_part(request: PortalRequest) -> HttpResponse:
    """Answer what is found at the address that was just typed; nothing is saved."""
    found = _look(request, str(request.POST.get("base_url", ""))[:500])
    return render(request, "config_portal/_preview.html", {"preview": PreviewCard(found)})


@portal_page(Role.ADMIN)
@require_POST
def invite(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Make an invitation for an affiliate and show its code, this once."""
    endpoint = _endpoint(request, endpoint_id)
    show_band(request, endpoint)
    form = InvitationForm(request.POST)
    now = timezone.now()
    context: dict[str, Any] = {"form": form, "now": now, "crumbs": under_setup(ENDPOINTS)}
    if form.is_valid():
        affiliate = form.cleaned_data["affiliate"]
        _, context["code"] = invite_affiliate(endpoint, affiliate=affiliate, actor=request.user.username, now=now)
        context["affiliate"], context["form"] = affiliate, InvitationForm()
    context["page_of"] = EndpointPage(endpoint, latest_runs([endpoint]).get(endpoint.pk), now=now)
    context["invitations"] = endpoint.invitations.select_related("accepted_by")
    return render(request, "config_portal/endpoint.html", context)


@portal_page(Role.ADMIN)
@require_POST
def revoke(request: PortalRequest, invitation_id: UUID) -> HttpResponse:
    """Make an invitation that nobody has used yet useless."""
    mine = BaseUrlInvitation.objects.for_organization(request.organization).select_related("endpoint")
    invitation = get_object_or_404(mine, pk=invitation_id)
    revoke_invitation(invitation, actor=request.user.username, now=timezone.now())
    messages.success(request, f"The invitation of {invitation.affiliate} can no longer be used.")
    return redirect("portal:endpoint", invitation.endpoint_id)


def _edit(request: PortalRequest, form: EndpointForm, *, endpoint: FhirEndpoint | None) -> HttpResponse:
    """Save what was typed and move on, or show the page with what is missing."""
    found = None
    if request.method == "POST" and form.is_valid():
        found = _found_for(request, form, endpoint)
        if _may_save(request, form, found):
            saved = _save(request, form, endpoint, found, now=timezone.now())
            if saved is not None:
                messages.success(request, f"{saved.name} is saved as a draft. It takes effect when it is approved.")
                return redirect("portal:endpoint", saved.pk)
    context = {
        "form": form,
        "endpoint": endpoint,
        "preview": PreviewCard(found) if found else None,
        "warn_of_production": not has_verified_test_endpoint(request.organization),
        "crumbs": under_setup(ENDPOINTS),
    }
    return render(request, "config_portal/endpoint_edit.html", context)


def _found_for(request: PortalRequest, form: EndpointForm, endpoint: FhirEndpoint | None) -> Preview | None:
    """Look at the address if that was asked for, or if it is a new one."""
    base_url = str(form.cleaned_data["base_url"])
    is_known = endpoint is not None and endpoint.base_url == base_url and endpoint.discovered
    return None if is_known and "look" not in request.POST else _look(request, base_url)


def _look(request: PortalRequest, base_url: str) -> Preview:
    named = (str(request.POST.get(f"{app}_client_id", "")) for app in ("backend", "provider", "patient"))
    client_id = next((client_id for client_id in named if client_id), "")
    return preview(base_url, organization=request.organization, client_id=client_id[:120], now=timezone.now())


def _may_save(request: PortalRequest, form: EndpointForm, found: Preview | None) -> bool:
    if "look" in request.POST:
        return False
    if found is None or found.is_right:
        return True
    if found.never_saved is not None:
        form.add_error("base_url", found.never_saved.cause)
        return False
    if not form.cleaned_data["save_anyway"]:
        form.add_error("save_anyway", "Not everything could be verified. Correct the address, or tick this box")
        return False
    return True


def _save(
    request: PortalRequest, form: EndpointForm, endpoint: FhirEndpoint | None, found: Preview | None, *, now: datetime
) -> FhirEndpoint | None:
    """Return the saved endpoint; None when it was refused, and the form says why."""
    values = {name: form.cleaned_data[name] for name in EDITABLE}
    given: dict[str, Any] = {
        "values": values, "found": found, "code": form.cleaned_data["code"], "actor": request.user.username, "now": now
    }  # fmt: skip
    try:
        if endpoint is None:
            return add_endpoint(request.organization, environment=form.cleaned_data["environment"], **given)
        change_endpoint(endpoint, **given)
    except ConfigurationError as error:
        form.add_error(_FIELD_OF.get(error.code, "base_url"), error.user_message)
        return None
    endpoint.name = values["name"]
    return endpoint


def _endpoint(request: PortalRequest, endpoint_id: UUID) -> FhirEndpoint:
    mine = FhirEndpoint.objects.for_organization(request.organization)
    return get_object_or_404(mine.select_related("organization", "approved_version"), pk=endpoint_id)


def _first_values(request: PortalRequest) -> dict[str, Any]:
    """Return what a new endpoint begins with."""
    empty = FhirEndpoint()
    return {
        "environment": Environment.TEST,
        "assertion_algorithm": empty.assertion_algorithm,
        "authorize_method": empty.authorize_method,
        "time_zone": request.organization.time_zone,
        "join_opens_minutes": empty.join_opens_minutes,
        "join_closes_minutes": empty.join_closes_minutes,
    }

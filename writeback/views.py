"""Setup pages: how each Epic is told."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.presenters.crumbs import under_setup
from config_portal.requests import PortalRequest
from core.page import EnvironmentBand
from writeback.forms import WritebackForm
from writeback.presenters import EndpointCard
from writeback.services import drafts


@portal_page(Role.ADMIN, Role.ANALYST)
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    """Show what is chosen for each FHIR endpoint."""
    endpoints = FhirEndpoint.objects.for_organization(request.organization).select_related("approved_version")
    cards = [EndpointCard(endpoint, drafts.draft_of(endpoint)) for endpoint in endpoints]
    context = {"cards": cards, "may_change": Role.ADMIN in request.roles, "crumbs": under_setup()}
    return render(request, "writeback/overview.html", context)


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def setup(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show and change what is chosen for one FHIR endpoint."""
    mine = FhirEndpoint.objects.for_organization(request.organization).select_related("approved_version")
    endpoint = get_object_or_404(mine, pk=endpoint_id)
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
    form = WritebackForm(request.POST or None, draft=drafts.draft_of(endpoint))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        drafts.save_draft(
            endpoint,
            chosen,
            connection_status=chosen["connection_status"],
            password=chosen["basic_password"],
            actor=request.user.username,
        )
        messages.success(request, f"Saved for {endpoint.name}. It takes effect when it is approved.")
        return redirect("writeback:overview")
    overview_url = reverse("writeback:overview")
    context = {
        "form": form,
        "endpoint": endpoint,
        "overview_url": overview_url,
        "crumbs": [*under_setup(), ("Telling Epic", overview_url)],
    }
    return render(request, "writeback/setup.html", context)

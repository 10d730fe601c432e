"""Setup pages: context-aware links of each FHIR endpoint."""

from uuid import UUID

from django.conf import settings
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
from launch.presenters_links import LinkCard
from launch.services import link_drafts
from launch.setup_forms import ContextLinkForm

OVERVIEW = "links:overview"


@portal_page(Role.ADMIN, Role.ANALYST)
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    """Show for each FHIR endpoint whether links open visits."""
    endpoints = FhirEndpoint.objects.for_organization(request.organization).select_related("context_link")
    cards = [LinkCard(endpoint) for endpoint in endpoints]
    return render(
        request,
        "launch/links.html",
        {"cards": cards, "may_change": Role.ADMIN in request.roles, "crumbs": under_setup()},
    )


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def setup(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show and change the links of one FHIR endpoint."""
    endpoint = get_object_or_404(FhirEndpoint.objects.for_organization(request.organization), pk=endpoint_id)
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
    form = ContextLinkForm(request.POST or None, draft=link_drafts.draft_of(endpoint))
    if request.method == "POST" and form.is_valid():
        key = form.cleaned_data["key"]
        is_changed = link_drafts.save_draft(endpoint, form.cleaned_data, key=key, actor=request.user.username)
        said = f"Saved for {endpoint.name}. It takes effect when it is approved." if is_changed else "Nothing changed."
        messages.success(request, said)
        return redirect(OVERVIEW)
    overview_url = reverse(OVERVIEW)
    context = {
        "form": form,
        "endpoint": endpoint,
        "overview_url": overview_url,
        "addresses": [
            (f"Launch address, {who}", settings.PUBLIC_URL + reverse(f"launch:{who}_link", args=[endpoint.launch_id]))
            for who in ("provider", "patient")
        ],
        "crumbs": [*under_setup(), ("Context-aware links", overview_url)],
    }
    return render(request, "launch/link_setup.html", context)

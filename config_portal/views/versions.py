"""Approved versions: what they were, what proves them, and the way back to one."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from config_portal.access import portal_page
from config_portal.presenters.approval import VersionPage
from config_portal.requests import PortalRequest
from config_portal.services import restoring
from config_portal.views.approval import SETUP, crumbs, find


@portal_page(*SETUP)
@require_safe
def detail(request: PortalRequest, endpoint_id: UUID, number: int) -> HttpResponse:
    """Show one version: its proof, what it changed, all of its content."""
    endpoint = find(request, endpoint_id)
    version = get_object_or_404(endpoint.versions, number=number)
    page = VersionPage(
        version=version,
        before=endpoint.versions.filter(number=number - 1).first(),
        is_running=endpoint.approved_version_id == version.pk,
    )
    way = crumbs(
        ("Approve", reverse("portal:approvals")),
        (endpoint.name, reverse("portal:approval", args=[endpoint.pk])),
    )
    return render(request, "config_portal/version.html", {"page_version": page, "endpoint": endpoint, "crumbs": way})


@portal_page(*SETUP)
@require_POST
def restore(request: PortalRequest, endpoint_id: UUID, number: int) -> HttpResponse:
    """Put the version's content into the draft; it runs once it is approved."""
    endpoint = find(request, endpoint_id)
    version = get_object_or_404(endpoint.versions, number=number)
    stayed = restoring.restore(endpoint, version, actor=request.user.username)
    kept = f" {', '.join(stayed)} stays as it is." if stayed else ""
    messages.success(
        request, f"The draft has the settings of version {number} again.{kept} They take effect when they are approved."
    )
    return redirect("portal:approval", endpoint.pk)

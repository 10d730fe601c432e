"""How numbers do, who wants no texts, and the switches that act at once: pause and share."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from sms.forms.messages import ShareForm
from sms.models import OptOut, SmsConfiguration
from sms.presenters.messages import HealthRow, OptOutRow, SwitchRow
from sms.services import drafts, replies, truth
from sms.views.shared import READERS, STAFF, find_endpoint, messages_section

_MOST = 100


@portal_page(*STAFF)
@require_safe
def numbers(request: PortalRequest) -> HttpResponse:
    """Show how each number did in the last 24 hours."""
    rows = [HealthRow(health) for health in truth.health(request.organization, now=timezone.now())]
    return render(request, "sms/health.html", {"rows": rows, **messages_section("messages:numbers")})


@portal_page(*STAFF)
@require_safe
def opt_outs(request: PortalRequest) -> HttpResponse:
    """Show how many phones want no texts, and since when."""
    organization = request.organization
    count, recent = truth.opt_out_counts(organization, now=timezone.now())
    listed = OptOut.objects.filter(organization=organization).order_by("-created_at")
    context = {
        "count": count,
        "recent": recent,
        "waiting": replies.waiting(organization).count(),
        "replies_url": reverse("messages:replies"),
        "opt_outs": [OptOutRow(row) for row in listed[:_MOST]],
        **messages_section("messages:opt_outs"),
    }
    return render(request, "sms/opt_outs.html", context)


@portal_page(*STAFF)
@require_safe
def sending(request: PortalRequest) -> HttpResponse:
    """Show what goes out for each Epic connection, with its switches."""
    endpoints = FhirEndpoint.objects.for_organization(request.organization).select_related("approved_version")
    found = {draft.endpoint_id: draft for draft in SmsConfiguration.objects.filter(endpoint__in=endpoints)}
    rows = [SwitchRow(endpoint, found.get(endpoint.pk)) for endpoint in endpoints]
    forms = [ShareForm(initial={"percent": row.percent}, prefix=str(row.endpoint.pk)) for row in rows]
    context = {
        "rows": list(zip(rows, forms, strict=True)),
        "may_start": bool(set(READERS) & request.roles),
        **messages_section("messages:sending"),
    }
    return render(request, "sms/sending.html", context)


@portal_page(*STAFF)
@require_POST
def pause(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Send nothing for a connection from now on."""
    endpoint = find_endpoint(request, endpoint_id)
    if drafts.pause(endpoint, reason=request.POST.get("reason", "")[:200], actor=request.user.username):
        messages.warning(
            request, f"Texts of {endpoint.name} are paused. What is due waits, or ends when it is too late."
        )
    return redirect("messages:sending")


@portal_page(*READERS)
@require_POST
def unpause(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Send again what was approved."""
    endpoint = find_endpoint(request, endpoint_id)
    if drafts.unpause(endpoint, actor=request.user.username):
        messages.success(request, f"Texts of {endpoint.name} go out again.")
    return redirect("messages:sending")


@portal_page(*READERS)
@require_POST
def share(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Text about this share of visits from now on."""
    endpoint = find_endpoint(request, endpoint_id)
    form = ShareForm(request.POST, prefix=str(endpoint.pk))
    if form.is_valid() and drafts.release_share(endpoint, form.cleaned_data["percent"], actor=request.user.username):
        messages.success(
            request, f"Patients of {form.cleaned_data['percent']}% of the visits of {endpoint.name} get texts."
        )
    return redirect("messages:sending")

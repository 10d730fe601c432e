"""Approve: over Entra, which says at this very moment whether the approver is still who they were."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts import confirmation
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from config_portal.services import approval, intents
from config_portal.views.approval import SETUP, approver_of, find, refused, session_key_of
from core.errors import ConnectorError


@portal_page(*SETUP)
@require_POST
def approve(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Go on to Entra when nothing else is missing; when the draft was changed meanwhile, show what changed instead."""
    endpoint = find(request, endpoint_id)
    seen, now = request.POST.get("digest", ""), timezone.now()
    try:
        approval.check_approval(
            endpoint, approver_of(request), seen_digest=seen, session_key=session_key_of(request), now=now
        )
        address = confirmation.address(request, request.user, next_url=reverse("portal:approve_confirmed"))
        intents.remember(request.session, endpoint, digest=seen, now=now)
    except ConnectorError as error:
        return refused(request, endpoint, error, seen=seen)
    response = render(request, "config_portal/to_entra.html", {"address": address})
    response.headers["Refresh"] = f"0; url={address}"
    return response


@portal_page(*SETUP)
@require_GET
def approve_confirmed(request: PortalRequest) -> HttpResponse:
    """Approve what was pressed before the browser went to Entra, now that it is back."""
    now = timezone.now()
    intent = intents.take(request.session, now=now)
    if intent is None:
        messages.info(request, "Nothing was approved: no approval waits for Microsoft any more. Press Approve again.")
        return redirect("portal:approvals")
    endpoint = find(request, intent.endpoint_id)
    try:
        version = approval.approve(
            endpoint,
            approver_of(request),
            seen_digest=intent.digest,
            session_key=session_key_of(request),
            confirmed_at=_confirmed_since(request, intent.pressed_at),
            now=now,
        )
    except ConnectorError as error:
        return refused(request, endpoint, error, seen=intent.digest)
    messages.success(request, f"Version {version.number} of {endpoint.name} is approved and runs from now on.")
    return redirect("portal:records", endpoint.pk)


def _confirmed_since(request: PortalRequest, pressed_at: datetime) -> datetime | None:
    """Return when Entra confirmed the account, if that was after the approval was pressed."""
    confirmed_at = confirmation.confirmed_at(request.session)
    return confirmed_at if confirmed_at is not None and confirmed_at >= pressed_at else None

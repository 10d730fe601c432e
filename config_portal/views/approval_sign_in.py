"""The approver's way to Epic and back."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from config_portal.services import epic_sign_in
from config_portal.services.epic_sign_in import EpicReturn
from config_portal.views.approval import SETUP, find
from core import audit
from core.context import new_reference
from core.errors import ConnectorError


@portal_page(*SETUP)
@require_POST
def begin(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Send the browser on to Epic's sign-in."""
    endpoint = find(request, endpoint_id)
    session_key = request.session.session_key or ""
    try:
        address = epic_sign_in.begin(endpoint, request.user, session_key=session_key, now=timezone.now())
    except ConnectorError as error:
        _explain(request, endpoint, error)
        return redirect("portal:approval", endpoint.pk)
    # Not a redirect: browsers check those behind a form against ``form-action``, and Epic may send the person
    # on to any sign-in of the hospital. This page goes on by itself, and its link is the way without that.
    response = render(request, "config_portal/to_epic.html", {"address": address})
    response.headers["Refresh"] = f"0; url={address}"
    return response


@portal_page(*SETUP)
@require_GET
def callback(request: PortalRequest, launch_id: UUID) -> HttpResponse:
    """Take the browser back from Epic; whatever came out is shown on the approval page."""
    own = FhirEndpoint.objects.for_organization(request.organization).filter(launch_id=launch_id).first()
    if own is None:
        raise Http404
    endpoint = find(request, own.pk)
    returned = EpicReturn(
        state=request.GET.get("state", ""),
        code=request.GET.get("code", ""),
        error=request.GET.get("error", ""),
        issuer=request.GET.get("iss", ""),
    )
    session_key = request.session.session_key or ""
    try:
        epic_sign_in.finish(endpoint, request.user, returned, session_key=session_key, now=timezone.now())
    except ConnectorError as error:
        _explain(request, endpoint, error)
    else:
        messages.success(request, "Epic confirms that you signed in. You have five minutes to approve.")
    return redirect("portal:approval", endpoint.pk)


def _explain(request: PortalRequest, endpoint: FhirEndpoint, error: ConnectorError) -> None:
    event = audit.record(
        "approval.refused",
        organization_id=request.organization.pk,
        actor=request.user.username,
        subject=endpoint,
        reference=new_reference(),
        code=error.code,
        reason=error.detail,
    )
    why = error.user_message or "Epic did not answer as expected."
    messages.error(request, f"You are not signed in to Epic. {why} (Reference {event.reference})")

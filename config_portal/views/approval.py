"""Approve a configuration or look at it: the list, the page of one connection, the acts."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal import snapshot
from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.presenters.approval import ApprovalPage, ApprovalState
from config_portal.requests import PortalRequest
from config_portal.services import approval, approval_queries, approvers, discovery, epic_sign_in, running, shown
from config_portal.services.approvers import Approver
from config_portal.services.drafts import draft_of
from core import audit
from core.errors import ConfigurationError, ConnectorError
from core.page import EnvironmentBand

SETUP = (Role.ADMIN, Role.ANALYST)
_CONFLICT = 409


class ReasonForm(forms.Form):
    """Why it is sent back."""

    reason = forms.CharField(
        label="What has to be changed",
        max_length=approval.LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The administrators read this on their Setup page.",
    )


@portal_page(*SETUP)
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    """Show where every connection stands."""
    now = timezone.now()
    context = {
        "crumbs": crumbs(),
        "rows": [
            ApprovalState(draft=draft, request=asked, now=now)
            for draft, asked in approval_queries.drafts_with_requests(request.organization)
        ],
        "forbids_self_approval": request.organization.forbids_self_approval,
        "is_admin": Role.ADMIN in request.roles,
    }
    return render(request, "config_portal/approvals.html", context)


@portal_page(*SETUP)
@require_safe
def detail(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show what an approval would change, and the two steps to it."""
    endpoint = find(request, endpoint_id)
    if discovery.known_smart(endpoint) is None:
        _ask_epic(request, endpoint)
    return _page(request, endpoint, form=ReasonForm())


@portal_page(*SETUP)
@require_POST
def send_back(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Send the configuration back with a reason."""
    endpoint = find(request, endpoint_id)
    form, seen = ReasonForm(request.POST), request.POST.get("digest", "")
    if not form.is_valid():
        return _page(request, endpoint, form=form)
    reason, now = form.cleaned_data["reason"], timezone.now()
    try:
        approval.send_back(endpoint, approver_of(request), seen_digest=seen, reason=reason, now=now)
    except ConfigurationError as error:
        return refused(request, endpoint, error, seen=seen, form=form)
    messages.success(request, "Sent back. The administrators see your reason on their Setup page.")
    return redirect("portal:approval", endpoint.pk)


@portal_page(Role.ADMIN)
@require_POST
def ask(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Ask the approver."""
    endpoint = find(request, endpoint_id)
    try:
        approval.ask(endpoint, actor=request.user.username, now=timezone.now())
    except ConfigurationError as error:
        messages.error(request, error.user_message)
    else:
        messages.success(request, f"{endpoint.approver_username} sees the request on the Setup page.")
    return redirect("portal:approval", endpoint.pk)


@portal_page(Role.ADMIN)
@require_POST
def name_anew(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Let the approver's user name be bound again at its owner's next sign-in, after a change of account."""
    endpoint = find(request, endpoint_id)
    approvers.forget(endpoint, actor=request.user.username)
    messages.success(request, f"Whoever signs in as {endpoint.approver_username} next is the approver.")
    return redirect("portal:approval", endpoint.pk)


@portal_page(*SETUP)
@require_POST
def set_paused(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Pause the connection, or let it run again; both at once."""
    endpoint = find(request, endpoint_id)
    if request.POST.get("paused") == "yes":
        running.pause(endpoint, actor=request.user.username)
        messages.success(request, f"{endpoint.name} is paused: no launches, no texts, no news to Epic.")
    else:
        running.resume(endpoint, actor=request.user.username)
        messages.success(request, f"{endpoint.name} runs again.")
    return redirect("portal:approval", endpoint.pk)


@portal_page(*SETUP)
@require_POST
def revoke(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Take the approval back at once."""
    endpoint = find(request, endpoint_id)
    running.revoke(endpoint, actor=request.user.username, reason=request.POST.get("reason", ""))
    messages.success(request, f"The approval of {endpoint.name} is taken back. Nothing runs until it is approved anew.")
    return redirect("portal:approval", endpoint.pk)


@portal_page(Role.ADMIN)
@require_POST
def set_rules(request: PortalRequest) -> HttpResponse:
    """Choose whether whoever may edit may approve too."""
    forbids = request.POST.get("forbids_self_approval") == "yes"
    approval_queries.set_self_approval(request.organization, is_forbidden=forbids, actor=request.user.username)
    rule = "two people are needed" if forbids else "one person may edit and approve"
    messages.success(request, f"From now on {rule}.")
    return redirect("portal:approvals")


def crumbs(*pages: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the way from the Setup page down to the page above this one."""
    return [("Setup", reverse("portal:setup")), *pages]


def find(request: PortalRequest, endpoint_id: UUID) -> FhirEndpoint:
    """Return the organization's endpoint with everything a snapshot reads, and set the page's band; else 404."""
    own = snapshot.with_parts(FhirEndpoint.objects.for_organization(request.organization))
    endpoint = get_object_or_404(own, pk=endpoint_id)
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
    return endpoint


def _page(
    request: PortalRequest,
    endpoint: FhirEndpoint,
    *,
    form: ReasonForm,
    seen: dict[str, object] | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    draft = draft_of(endpoint)
    page = ApprovalPage(
        state=ApprovalState(draft=draft, request=endpoint.approval_requests.first(), now=now),
        approver=approver_of(request),
        sign_in=epic_sign_in.current(endpoint, request.user, session_key=session_key_of(request), now=now),
        versions=list(endpoint.versions.all()[:20]),
        seen=seen,
    )
    shown.remember(request.session, draft.digest, draft.content)
    context = {
        "approval": page,
        "endpoint": endpoint,
        "pause": running.last_pause(endpoint),
        "form": form,
        "problem": problem,
        "may_name_anew": Role.ADMIN in request.roles and approvers.binding_of(endpoint) is not None,
        "may_ask": Role.ADMIN in request.roles and bool(endpoint.approver_username),
        "crumbs": crumbs(("Approve", reverse("portal:approvals"))),
    }
    return render(request, "config_portal/approval.html", context, status=status)


def refused(
    request: PortalRequest,
    endpoint: FhirEndpoint,
    error: ConnectorError,
    *,
    seen: str,
    form: ReasonForm | None = None,
) -> HttpResponse:
    """Show the page as it is now, with what is in the way; an approval that was refused is an event."""
    audit.record(
        "approval.refused",
        organization_id=request.organization.pk,
        actor=request.user.username,
        subject=endpoint,
        code=error.code,
        reason=error.detail,
    )
    is_changed = error.code == approval.CHANGED
    return _page(
        request,
        find(request, endpoint.pk),
        form=form or ReasonForm(),
        seen=shown.recall(request.session, seen) if is_changed else None,
        problem=error.user_message,
        status=_CONFLICT if is_changed else 422,
    )


def _ask_epic(request: PortalRequest, endpoint: FhirEndpoint) -> None:
    """Ask Epic where its sign-in service is: an approval covers it."""
    try:
        discovery.remember(endpoint, discovery.ask_epic(endpoint), now=timezone.now())
    except ConnectorError as error:
        why = error.user_message or "It did not answer as an Epic does."
        messages.error(request, f"Epic could not be asked about itself, so that nothing can be approved yet. {why}")


def approver_of(request: PortalRequest) -> Approver:
    """Return who wants to approve."""
    return Approver(user=request.user, roles=request.roles)


def session_key_of(request: PortalRequest) -> str:
    """Return the key of the browser's session."""
    return request.session.session_key or ""

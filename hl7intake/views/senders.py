"""Senders: how each is doing, who was not let in, and what is told and kept."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConnectorError
from hl7intake.forms import RetentionForm, WatchForm
from hl7intake.models import RefusedSender
from hl7intake.presenters.inbox import section_tabs
from hl7intake.presenters.senders import RefusedRow, SenderCard
from hl7intake.services.health import health_of
from hl7intake.services.retention import keep_rejected, kept_hours
from hl7intake.services.trial import send_test_message
from hl7intake.services.watching import change_watch
from hl7intake.views.scope import STAFF, endpoint_of, endpoints_of

TESTERS = (Role.ADMIN, Role.ANALYST)
_MOST_REFUSALS = 50


@portal_page(*STAFF)
@require_safe
def senders(request: PortalRequest) -> HttpResponse:
    """Show every sender's last message, rate and errors, and who was refused at the door."""
    now = timezone.now()
    can_change = Role.ADMIN in request.roles
    cards = [
        SenderCard(health=health, now=now, can_change=can_change, can_test=bool(request.roles & set(TESTERS)))
        for health in health_of(endpoints_of(request), now=now)
    ]
    refused = RefusedSender.objects.visible_to(request.organization).select_related("certificate__endpoint")
    hours = kept_hours(request.organization)
    context = {
        "tabs": section_tabs("senders"),
        "cards": cards,
        "refused": [RefusedRow(refused=one) for one in refused[:_MOST_REFUSALS]],
        "retention": RetentionForm(initial={"hours": hours}),
        "can_change": can_change,
        "retention_sentence": f"Kept for {hours} hours, encrypted."
        if hours
        else "Not kept. An administrator may change that.",
    }
    return render(request, "hl7intake/senders.html", context)


@portal_page(Role.ADMIN)
@require_POST
def watch(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Change after how long a silence somebody is told."""
    endpoint = endpoint_of(request, endpoint_id)
    form = WatchForm(request.POST)
    if form.is_valid():
        hours = form.cleaned_data["hours"]
        change_watch(endpoint, hours=hours, actor=request.user.username)
        words = f"after {hours} hours of silence" if hours else "nobody any more"
        messages.success(request, f"{endpoint.name}: told {words}.")
    else:
        messages.error(request, "Enter whole hours, 0 to 720. 0 tells nobody.")
    return redirect("hl7:senders")


@portal_page(Role.ADMIN)
@require_POST
def retention(request: PortalRequest) -> HttpResponse:
    """Change whether the text of rejected messages is kept."""
    form = RetentionForm(request.POST)
    if form.is_valid():
        hours = form.cleaned_data["hours"]
        keep_rejected(request.organization, hours=hours, actor=request.user.username)
        kept = f"kept for {hours} hours, encrypted" if hours else "not kept"
        messages.success(request, f"From now on the text of rejected messages is {kept}.")
    else:
        messages.error(request, "Enter whole hours, 0 to 72. 0 keeps nothing.")
    return redirect("hl7:senders")


@portal_page(*TESTERS)
@require_POST
def test(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Send a test message through the listener and say what it answered."""
    endpoint = endpoint_of(request, endpoint_id)
    try:
        trial = send_test_message(endpoint, actor=request.user.username, now=timezone.now())
    except ConnectorError as error:
        messages.error(request, f"{endpoint.name}: no test message came through. {error.user_message}")
        return redirect("hl7:senders")
    answer = trial.answer
    words = f"{endpoint.name}: {trial.control_id} was answered {answer.code} in {1000 * answer.seconds:.0f} ms."
    if answer.is_accepted:
        messages.success(request, words)
    else:
        messages.error(request, f"{words} {answer.text}")
    return redirect(f"{reverse('hl7:inbox')}?control_id={trial.control_id}")

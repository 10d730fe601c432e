"""Replies that were not understood: staff see that there was one, and store what they did about it."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError
from sms.forms.messages import HandleReplyForm
from sms.models import InboundText
from sms.presenters.replies import ReplyRow
from sms.services import replies as service
from sms.views.shared import STAFF, messages_section

ACTORS = (Role.ADMIN, Role.SUPPORT)
_MOST = 100


@portal_page(*STAFF)
@require_safe
def replies(request: PortalRequest) -> HttpResponse:
    """Show replies that wait for a person, oldest first, and those dealt with lately."""
    waiting = service.waiting(request.organization)
    done = service.not_understood(request.organization).exclude(handled_at=None)
    context = {
        "count": waiting.count(),
        "waiting": _rows(waiting.order_by("at")),
        "done": _rows(done.order_by("-handled_at")),
        "can_act": bool(set(ACTORS) & request.roles),
        **messages_section("messages:replies"),
    }
    return render(request, "sms/replies.html", context)


@portal_page(*ACTORS)
@require_POST
def handle(request: PortalRequest, reference: UUID) -> HttpResponse:
    """Store what was done about a reply."""
    mine = InboundText.objects.for_organization(request.organization)
    reply, form = get_object_or_404(mine, reference=reference), HandleReplyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose what was done about the reply.")
        return redirect("messages:replies")
    try:
        is_ours = service.handle(reply, how=form.cleaned_data["how"], actor=request.user.username, now=timezone.now())
    except ConfigurationError as error:
        messages.error(request, error.user_message)
    else:
        words = "Stored, with your name and the time." if is_ours else "Somebody has dealt with it already."
        messages.success(request, words)
    return redirect("messages:replies")


def _rows(found: QuerySet[InboundText]) -> list[ReplyRow]:
    return [ReplyRow(reply) for reply in found.select_related("number", "contact", "organization")[:_MOST]]

"""Give messages that did not take effect another chance: one, or all that are looked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Max, Min
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.jobs import enqueue
from core.moments import written
from hl7intake.models import InboundMessage, InboundMessageQuerySet
from hl7intake.services.browsing import found
from hl7intake.services.replaying import Replayed, replay
from hl7intake.tasks import apply_received
from hl7intake.views.messages import CRUMBS, REPLAYERS, filter_form, query


@portal_page(*REPLAYERS)
@require_POST
def replay_one(request: PortalRequest, message_id: UUID) -> HttpResponse:
    """Give one message another chance."""
    own = InboundMessage.objects.for_organization(request.organization)
    chosen = own.filter(pk=get_object_or_404(own, pk=message_id).pk)
    _tell(request, replay(chosen, actor=request.user.username, now=timezone.now()))
    return redirect("hl7:message", message_id)


@portal_page(*REPLAYERS)
@require_http_methods(["GET", "HEAD", "POST"])
def replay_found(request: PortalRequest) -> HttpResponse:
    """Say how many of the messages that are looked for can be replayed, then replay them in order."""
    listed = found(request.organization, filter_form(request).wanted()).replayable()
    if request.method == "POST":
        # Only what the page counted: what came meanwhile was not looked at.
        until = _moment(request.POST.get("until", ""))
        chosen = listed.filter(received_at__lte=until) if until else listed.none()
        _tell(request, replay(chosen, actor=request.user.username, now=timezone.now()))
        return redirect(reverse("hl7:inbox") + query(request))
    return render(request, "hl7intake/replay.html", _confirmation(request, listed))


def _confirmation(request: PortalRequest, listed: InboundMessageQuerySet) -> dict[str, Any]:
    span = listed.aggregate(count=Count("pk"), first=Min("received_at"), last=Max("received_at"))
    zone, count = request.organization.time_zone, span["count"]
    times = [written(span[end], zone_name=zone) for end in ("first", "last") if count]
    return {
        "count": count,
        "facts": [("Messages", f"{count:,}"), ("Received", " to ".join(dict.fromkeys(times)))],
        "label": f"Replay {count:,} messages" if count > 1 else "Replay 1 message",
        "until": span["last"].isoformat() if count else "",
        "back": reverse("hl7:inbox") + query(request),
        "crumbs": CRUMBS,
    }


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _tell(request: PortalRequest, replayed: Replayed) -> None:
    """Say what was put back, and wake the workers up."""
    if replayed.count:
        enqueue(apply_received)
        count = replayed.count
        many = "It takes effect" if count == 1 else f"{count} messages take effect in the order of the sender's clock"
        messages.success(request, f"{many} within seconds.")
    if replayed.superseded:
        left = f"{replayed.superseded} left as {'it is' if replayed.superseded == 1 else 'they are'}"
        messages.info(request, f"{left}: sent again under the same control id meanwhile.")
    if not replayed.count and not replayed.superseded:
        messages.warning(request, "Nothing to replay: the text is gone, or it took effect meanwhile.")

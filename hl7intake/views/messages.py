"""The message browser: what came, what became of it, and why."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from hl7intake.forms import MessageFilterForm, ReasonForm
from hl7intake.models import InboundMessage
from hl7intake.presenters.facts import differences, field_differences
from hl7intake.presenters.inbox import InboxPage, section_tabs
from hl7intake.presenters.messages import MessagePage, MessageRow
from hl7intake.services.browsing import about_same_appointment, found, page_after
from hl7intake.services.health import health_of
from hl7intake.services.reading import read_text
from hl7intake.views.scope import STAFF, endpoints_of, show_environment

REPLAYERS = (Role.ADMIN, Role.SUPPORT)
READERS = (Role.SUPPORT,)
CRUMBS = [("HL7 messages", reverse_lazy("hl7:inbox"))]


@portal_page(*STAFF)
@require_safe
def inbox(request: PortalRequest) -> HttpResponse:
    """Show the messages that are looked for, newest first, fifty at a time."""
    now = timezone.now()
    form = filter_form(request)
    wanted = form.wanted()
    listed = found(request.organization, wanted)
    shown, has_more = page_after(listed, _last_seen(request))
    page = InboxPage(
        healths=health_of(endpoints_of(request), now=now), zone=request.organization.time_zone, shown=shown, now=now
    )
    can_replay = bool(request.roles & set(REPLAYERS))
    context = {
        "page_": page,
        "tabs": section_tabs("inbox"),
        "form": form,
        "is_filtered": not wanted.is_empty,
        "older": query(request, after=shown[-1].pk) if has_more else "",
        "replay_query": query(request) if can_replay and listed.replayable().exists() else "",
    }
    return render(request, "hl7intake/inbox.html", context)


@portal_page(*STAFF)
@require_safe
def message(request: PortalRequest, message_id: UUID) -> HttpResponse:
    """Show everything about one message but its text."""
    found_message = _message(request, message_id)
    context = {"message_": _page_of(request, found_message), "crumbs": CRUMBS}
    return render(request, "hl7intake/message.html", context)


@portal_page(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def text(request: PortalRequest, message_id: UUID) -> HttpResponse:
    """Ask why, then show the text of a message; every look is audited before it is shown."""
    found_message = _message(request, message_id)
    form = ReasonForm(request.POST or None)
    page = _page_of(request, found_message)
    context: dict[str, Any] = {"message_": page, "form": form, "crumbs": [*CRUMBS, (page.title, page.url)]}
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        context["reading"] = read_text(found_message, reason=reason, actor=request.user.username)
    return render(request, "hl7intake/message_text.html", context)


@portal_page(*STAFF)
@require_safe
def compare(request: PortalRequest, earlier_id: UUID, later_id: UUID) -> HttpResponse:
    """Show what changed from one message about an appointment to another."""
    earlier, later = _message(request, earlier_id), _message(request, later_id)
    zone = request.organization.time_zone
    lines = differences(earlier, later)
    context = {
        "earlier": MessageRow(message=earlier, zone=zone),
        "later": MessageRow(message=later, zone=zone),
        "changed": [line for line in lines if line.is_changed],
        "same": [line for line in lines if not line.is_changed],
        "fields": field_differences(earlier, later),
        "lead": f"From {earlier.control_id} to {later.control_id}. Of patients only what is kept is compared.",
        "crumbs": CRUMBS,
    }
    return render(request, "hl7intake/compare.html", context)


def filter_form(request: PortalRequest) -> MessageFilterForm:
    """Return the filter as the address states it."""
    return MessageFilterForm(request.GET, endpoints=endpoints_of(request), time_zone=request.organization.time_zone)


def query(request: PortalRequest, **changed: object) -> str:
    """Return the filter as a query, with ``changed`` parts."""
    kept = {name: value for name, value in request.GET.items() if value and name != "after"}
    return f"?{urlencode({**kept, **changed})}" if kept or changed else ""


def _last_seen(request: PortalRequest) -> InboundMessage | None:
    """Return the message behind which the page begins, if the address names one of the organization's."""
    try:
        after = UUID(request.GET.get("after", ""))
    except ValueError:
        return None
    return InboundMessage.objects.for_organization(request.organization).defer("raw").filter(pk=after).first()


def _message(request: PortalRequest, message_id: UUID) -> InboundMessage:
    own = InboundMessage.objects.for_organization(request.organization).defer("raw")
    one = get_object_or_404(
        own.select_related("endpoint", "visit", "certificate").annotate(has_text=Q(raw__isnull=False)), pk=message_id
    )
    show_environment(request, one.endpoint)
    return one


def _page_of(request: PortalRequest, one: InboundMessage) -> MessagePage:
    return MessagePage(
        message=one,
        zone=request.organization.time_zone,
        same=about_same_appointment(one),
        has_text=one.has_text,  # type: ignore[attr-defined]  # annotated
        can_replay=bool(request.roles & set(REPLAYERS)),
        can_read=bool(request.roles & set(READERS)),
        now=timezone.now(),
    )

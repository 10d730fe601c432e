"""The truth about texts: what was accepted, delivered or not and why; send again, stop texting a phone."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError
from core.jobs import enqueue_after_commit
from sms import tasks
from sms.forms.messages import FilterForm, ResendForm
from sms.models import SmsMessage
from sms.presenters.messages import OUTCOME_WORDS, OutcomeStat, TextRow, history
from sms.services import opt_outs, resending, truth
from sms.views.shared import STAFF, find_endpoint, messages_section

ACTORS = (Role.ADMIN, Role.SUPPORT)
PAGE = 50
TOOK = ("Took", "From the supplier's yes until the phone had it.")


@portal_page(*STAFF)
@require_safe
def texts(request: PortalRequest) -> HttpResponse:
    """Show the texts of a period, newest first, and how many had which outcome."""
    now, organization = timezone.now(), request.organization
    form = FilterForm(request.GET or {"days": "1"}, organization=organization)
    asked = form.asked(now=now)
    counted = truth.counts(organization, asked)
    page = Paginator(truth.texts(organization, asked), PAGE).get_page(request.GET.get("page"))
    query = {name: str(value) for name, value in request.GET.items() if name in {*form.fields, "page"} and value}
    total = sum(counted.values())
    context: dict[str, Any] = {
        "form": form,
        "stats": [OutcomeStat(name, counted[name], total, asked.outcome == name, query) for name in counted],
        "rows": [TextRow(text, text.visit.time_zone) for text in page],
        "page_obj": page,
        "pages": _pages(page, query),
        "meanings": [*((words, meaning) for words, _, meaning in OUTCOME_WORDS.values()), TOOK],
        "now": now,
        **messages_section("messages:texts"),
    }
    return render(request, "sms/texts.html", context)


@portal_page(*STAFF)
@require_safe
def text(request: PortalRequest, text_id: UUID) -> HttpResponse:
    """Show everything about one text."""
    return _text_page(request, _find(request, text_id), form=ResendForm())


@portal_page(*ACTORS)
@require_POST
def resend(request: PortalRequest, text_id: UUID) -> HttpResponse:
    """Send a text once more, with the reason."""
    found, form = _find(request, text_id), ResendForm(request.POST)
    if not form.is_valid():
        return _text_page(request, found, form=form)
    try:
        copy = resending.resend(
            found, reason=form.cleaned_data["reason"], actor=request.user.username, now=timezone.now()
        )
    except ConfigurationError as error:
        messages.error(request, error.user_message)
        return redirect("messages:text", found.pk)
    enqueue_after_commit(tasks.deliver_due)
    messages.success(request, "It is sent again. This page is about the new text.")
    return redirect("messages:text", copy.pk)


@portal_page(*ACTORS)
@require_POST
def stop(request: PortalRequest, text_id: UUID) -> HttpResponse:
    """Text this phone no more: the patient said so on the telephone, at the desk or in writing."""
    found = _find(request, text_id)
    if opt_outs.opt_out_contact(found, actor=request.user.username):
        messages.success(request, "This phone gets no more texts of your organization.")
    else:
        messages.info(request, "The phone number is erased, or gets no texts already.")
    return redirect("messages:text", found.pk)


def _find(request: PortalRequest, text_id: UUID) -> SmsMessage:
    mine = SmsMessage.objects.for_organization(request.organization)
    return get_object_or_404(mine.select_related("visit__endpoint", "contact", "number", "organization"), pk=text_id)


def _text_page(request: PortalRequest, found: SmsMessage, *, form: ResendForm) -> HttpResponse:
    find_endpoint(request, found.visit.endpoint_id)  # for the environment band
    row = TextRow(found, found.visit.time_zone)
    events = list(found.delivery_events.order_by("at", "pk"))
    context = {
        "row": row,
        "form": form,
        "entries": history(found, events, zone=row.zone),
        "refusal": resending.refusal(found, now=timezone.now()),
        "can_act": bool(set(ACTORS) & request.roles),
        "stop_url": reverse("messages:stop", args=[found.pk]),
        "has_phone": bool(found.contact and found.contact.phone is not None),
        "crumbs": [("Messages", reverse("messages:texts"))],
    }
    return render(request, "sms/text.html", context)


def _pages(page: Any, query: dict[str, str]) -> list[tuple[str, str]]:
    """Return name and address of the neighbouring pages."""
    found = []
    if page.has_previous():
        found.append(("Newer", _address(query, page.previous_page_number())))
    if page.has_next():
        found.append(("Older", _address(query, page.next_page_number())))
    return found


def _address(query: dict[str, str], number: int) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in {**query, "page": str(number)}.items())

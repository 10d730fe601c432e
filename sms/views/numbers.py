"""Numbers: get one, watch it come, see how verification stands, give one back."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError, ConnectorError
from sms.forms.numbers import NumberForm, VerificationForm
from sms.models import NumberOrder, PhoneNumber
from sms.presenters import words
from sms.presenters.numbers import NumberRow, OrderView, where_to_ask
from sms.services import countries, numbers, orders
from sms.views.overview import numbers_context
from sms.views.shared import EDITORS, READERS, can_edit, crumbs, find_number

_NOTHING_NEW = 204


@portal_page(*EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def generate(request: PortalRequest) -> HttpResponse:
    """Ask which number to get, and begin to get it."""
    offers = countries.offers_for(request.organization)
    form = NumberForm(request.POST if request.method == "POST" else None, offers=offers)
    if form.is_bound and form.is_valid():
        try:
            orders.start_order(
                request.organization,
                supplier=form.supplier,
                kind=form.kind,
                area_code=form.cleaned_data["area_code"],
                actor=request.user.username,
                now=timezone.now(),
            )
        except ConfigurationError as error:
            form.add_error(None, error.user_message)
        else:
            return redirect("sms_setup:overview")
    context = {"form": form, "offers": offers, "crumbs": crumbs()}
    return render(request, "sms/generate.html", context)


@portal_page(*READERS)
@require_safe
def order(request: PortalRequest, order_id: UUID) -> HttpResponse:
    """Return how far an order is; 204 when the browser shows just that already."""
    view = OrderView(_find_order(request, order_id), timezone.now())
    if request.GET.get("seen") == view.seen:
        return HttpResponse(status=_NOTHING_NEW)
    context = numbers_context(request) | {"order": view, "is_news": True}
    return render(request, "sms/_order.html", context)


@portal_page(*EDITORS)
@require_POST
def cancel(request: PortalRequest, order_id: UUID) -> HttpResponse:
    """Stop getting a number."""
    orders.cancel(_find_order(request, order_id), actor=request.user.username, now=timezone.now())
    return redirect("sms_setup:overview")


@portal_page(*EDITORS)
@require_POST
def resume(request: PortalRequest, order_id: UUID) -> HttpResponse:
    """Go on with an order that failed."""
    orders.resume(_find_order(request, order_id), actor=request.user.username, now=timezone.now())
    return redirect("sms_setup:overview")


@portal_page(*READERS)
@require_safe
def number(request: PortalRequest, number_id: UUID) -> HttpResponse:
    """Show a number: what it is for, whether carriers let it through, what depends on it."""
    found = find_number(request, number_id)
    return _page(request, found, form=VerificationForm(initial={"state": found.verification}))


@portal_page(*EDITORS)
@require_POST
def verification(request: PortalRequest, number_id: UUID) -> HttpResponse:
    """Ask the supplier how verification stands, or store what a person read on its site."""
    found, now = find_number(request, number_id), timezone.now()
    if numbers.can_check_verification(found):
        try:
            numbers.check_verification(found, now=now)
        except ConnectorError as error:
            messages.error(request, f"{found.get_supplier_display()} did not answer ({error.code}). Ask again later.")
        return redirect("sms_setup:number", found.pk)
    form = VerificationForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form)
    numbers.record_verification(
        found,
        state=form.cleaned_data["state"],
        reason=form.cleaned_data["reason"],
        actor=request.user.username,
        now=now,
    )
    messages.success(request, "Stored, with your name and the time.")
    return redirect("sms_setup:number", found.pk)


@portal_page(*EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: PortalRequest, number_id: UUID) -> HttpResponse:
    """Say what giving a number back means, and do it."""
    found = find_number(request, number_id)
    if request.method == "POST":
        try:
            numbers.request_release(found, actor=request.user.username, now=timezone.now())
        except ConfigurationError as error:
            messages.error(request, error.user_message)
            return redirect("sms_setup:number", found.pk)
        messages.success(request, f"{words.number(found.number)} is being given back.")
        return redirect("sms_setup:overview")
    row = NumberRow(found, numbers.uses_of(found))
    context = {"number": row, "title": f"Give {row.text} back?", "crumbs": crumbs((row.text, row.url))}
    return render(request, "sms/release.html", context)


def _page(request: PortalRequest, found: PhoneNumber, *, form: VerificationForm) -> HttpResponse:
    row = NumberRow(found, numbers.uses_of(found))
    context = {
        "number": row,
        "facts": row.facts,
        "release_url": reverse("sms_setup:release", args=[found.pk]),
        "form": form,
        "asks_supplier": numbers.can_check_verification(found),
        "where": where_to_ask(found),
        "can_edit": can_edit(request),
        "crumbs": crumbs(),
    }
    return render(request, "sms/number.html", context)


def _find_order(request: PortalRequest, order_id: UUID) -> NumberOrder:
    return get_object_or_404(NumberOrder.objects.for_organization(request.organization), pk=order_id)

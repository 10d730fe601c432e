"""The SMS setup at a glance, and the two consents."""

from collections import Counter
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from sms.forms.numbers import ConsentForm
from sms.forms.words import LanguageForm
from sms.models import PhoneNumber, SmsConfiguration, SmsConsent, SmsTemplate
from sms.presenters.numbers import NumberRow, OrderView
from sms.presenters.overview import ConnectionRow, ConsentRow, LanguageRow
from sms.services import consents, drafts, numbers, orders, templates
from sms.views.shared import EDITORS, READERS, can_edit, crumbs


@portal_page(*READERS)
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    """Show consents, numbers, connections and languages, and what each still needs."""
    return _page(request, consent_form=ConsentForm())


@portal_page(*EDITORS)
@require_POST
def give_consents(request: PortalRequest) -> HttpResponse:
    """Store both consents with who gave them and when."""
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _page(request, consent_form=form, form=form)
    consents.give(request.organization, SmsConsent.Kind.values, actor=request.user.username, now=timezone.now())
    messages.success(request, "Both consents are stored with your name and the time.")
    return redirect("sms_setup:overview")


@portal_page(*EDITORS)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: PortalRequest, kind: str) -> HttpResponse:
    """Say what taking a consent back stops, and do it."""
    state = next((each for each in consents.states(request.organization) if each.kind == kind), None)
    if state is None:
        raise Http404
    if request.method == "POST":
        if consents.withdraw(request.organization, kind, actor=request.user.username, now=timezone.now()):
            messages.warning(request, "The consent is withdrawn. No text goes out any more.")
        return redirect("sms_setup:overview")
    return render(request, "sms/withdraw.html", {"consent": ConsentRow(state), "crumbs": crumbs()})


def numbers_context(request: PortalRequest) -> dict[str, Any]:
    """Return what the table of numbers shows."""
    held = PhoneNumber.objects.for_organization(request.organization).filter(released_at=None).order_by("created_at")
    uses = numbers.uses_in(request.organization)
    rows = [NumberRow(number, uses.get(number.number, [])) for number in held.select_related("organization")]
    return {
        "numbers": rows,
        "can_edit": can_edit(request),
        "generate_label": "Generate a new phone number" if can_edit(request) else "",
        "generate_url": reverse("sms_setup:generate"),
    }


def _page(request: PortalRequest, **context: Any) -> HttpResponse:
    now, organization = timezone.now(), request.organization
    order = orders.latest(organization, now=now)
    context |= numbers_context(request)
    context |= {
        "crumbs": crumbs()[:1],
        # Without any number the table itself asks for the first one.
        "can_generate": can_edit(request) and bool(context["numbers"] or order) and not (order and order.is_open),
        "consents": [ConsentRow(state) for state in consents.states(organization)],
        "has_consents": consents.are_given(organization.pk),
        "order": OrderView(order, now) if order else None,
        "connections": _connections(request),
        "languages": _languages(request),
        "language_form": LanguageForm(organization=organization),
    }
    return render(request, "sms/overview.html", context)


def _connections(request: PortalRequest) -> list[ConnectionRow]:
    endpoints = list(
        FhirEndpoint.objects.for_organization(request.organization).select_related("organization", "approved_version")
    )
    found = SmsConfiguration.objects.select_related("number", "failover_number").filter(endpoint__in=endpoints)
    drafted = {draft.endpoint_id: draft for draft in found}
    own = templates.own_words(request.organization)
    return [
        ConnectionRow(endpoint, drafted.get(endpoint.pk), drafts.differs(endpoint, drafted.get(endpoint.pk), words=own))
        for endpoint in endpoints
    ]


def _languages(request: PortalRequest) -> list[LanguageRow]:
    own = Counter(SmsTemplate.objects.for_organization(request.organization).values_list("language", flat=True))
    return [LanguageRow(code, own[code]) for code in templates.languages_of(request.organization)]

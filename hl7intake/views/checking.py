"""Check a message: how it would be understood, and what hl7apy says of it; nothing is kept."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from hl7intake.explaining import Explanation, explain
from hl7intake.files import split_messages
from hl7intake.forms import CheckForm
from hl7intake.presenters.inbox import section_tabs
from hl7intake.services.senders import draft_rules, rules_for
from hl7intake.validation import second_opinion
from hl7intake.views.scope import STAFF, endpoints_of


@portal_page(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: PortalRequest) -> HttpResponse:
    """Explain a pasted message field by field."""
    endpoints = endpoints_of(request)
    form = CheckForm(request.POST or None, endpoints=endpoints)
    context: dict[str, Any] = {"form": form, "tabs": section_tabs("check"), "has_endpoints": bool(endpoints)}
    if request.method == "POST" and form.is_valid():
        chosen = UUID(form.cleaned_data["endpoint"])
        endpoint = next(one for one in endpoints if one.pk == chosen)
        context |= _explained(form.cleaned_data["text"], endpoint)
    return render(request, "hl7intake/check.html", context)


def _explained(text: str, endpoint: FhirEndpoint) -> dict[str, Any]:
    messages = split_messages(text.replace("\r\n", "\n").encode()) or [text.encode()]
    approved = rules_for(endpoint)
    explanation = explain(messages[0], rules=approved or draft_rules(endpoint), now=timezone.now())
    return {
        "explanation": explanation,
        "verdict": _verdict(explanation),
        "opinion": second_opinion(messages[0].decode("utf-8", "replace")),
        "is_draft": approved is None,
        "others": len(messages) - 1,
        "endpoint": endpoint,
    }


def _verdict(explanation: Explanation) -> dict[str, str]:
    if explanation.is_refused:
        return {"tone": "bad", "title": "It would be refused"}
    return {"tone": "ok", "title": "It would be accepted"}

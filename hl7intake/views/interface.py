"""How one Epic's interface writes what the standard leaves open: shown and changed as a draft."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from hl7intake.forms import InterfaceForm
from hl7intake.services.interface import draft_of, save_draft
from hl7intake.views.messages import CRUMBS
from hl7intake.views.scope import endpoint_of

SENDERS = ("Senders", reverse_lazy("hl7:senders"))


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def interface(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show and change how messages of one FHIR endpoint are read; it takes effect when it is approved."""
    endpoint = endpoint_of(request, endpoint_id)
    form = InterfaceForm(request.POST or None, instance=draft_of(endpoint))
    if request.method == "POST" and form.is_valid():
        is_changed = save_draft(endpoint, form.cleaned_data, actor=request.user.username)
        said = f"Saved for {endpoint.name}. It takes effect when it is approved." if is_changed else "Nothing changed."
        messages.success(request, said)
        return redirect("hl7:senders")
    return render(request, "hl7intake/interface.html", {"form": form, "crumbs": [*CRUMBS, SENDERS]})

"""The page Microsoft Teams of the setup."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.models import TeamsTenant
from config_portal.presenters.crumbs import under_setup
from config_portal.requests import PortalRequest
from core.errors import ConnectorError
from meetings.forms import SecretForm, TenantForm
from meetings.presenters import TenantPage
from meetings.services import tenant as service

SETUP_ROLES = (Role.ADMIN, Role.ANALYST)
PAGE = "teams:settings"


@portal_page(*SETUP_ROLES)
@require_safe
def settings(request: PortalRequest) -> HttpResponse:
    """Show application, organizer, options, credential and the access policy's cmdlets."""
    return _page(request, _tenant(request))


@portal_page(Role.ADMIN)
@require_POST
def save(request: PortalRequest) -> HttpResponse:
    """Save the draft; it takes effect when it is approved."""
    tenant = _tenant(request)
    form = TenantForm(request.POST)
    if not form.is_valid():
        return _page(request, tenant, form=form)
    changed = service.save_tenant(tenant, values=form.cleaned_data, actor=request.user.username)
    messages.success(request, "Saved. It takes effect when it is approved." if changed else "Nothing was changed.")
    return redirect(PAGE)


@portal_page(Role.ADMIN)
@require_POST
def secret(request: PortalRequest) -> HttpResponse:
    """Try a client secret and keep it encrypted."""
    tenant = _tenant(request)
    form = SecretForm(request.POST, today=timezone.now().date())
    if form.is_valid():
        try:
            service.save_secret(tenant, **form.cleaned_data, actor=request.user.username)
        except ConnectorError as error:
            form.add_error("secret", _words(error))
        else:
            messages.success(request, "Entra accepts the secret. It is kept encrypted.")
            return redirect(PAGE)
    return _page(request, tenant, secret_form=form)


@portal_page(Role.ADMIN)
@require_POST
def certificate(request: PortalRequest) -> HttpResponse:
    """Make, use or discard a certificate, or remove the secret it replaces."""
    tenant, actor = _tenant(request), request.user.username
    acts: dict[str, Any] = {
        "make": lambda: service.make_certificate(tenant, actor=actor, now=timezone.now()),
        "use": lambda: service.use_certificate(tenant, actor=actor),
        "discard": lambda: service.discard_certificate(tenant, actor=actor),
        "remove-secret": lambda: service.remove_secret(tenant, actor=actor),
    }
    act = request.POST.get("act", "")
    if act not in acts:
        raise Http404
    try:
        acts[act]()
    except ConnectorError as error:
        messages.error(request, _words(error))
    else:
        messages.success(request, _DONE[act])
    return redirect(f"{reverse(PAGE)}#credential")


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD"])
def download(request: PortalRequest) -> HttpResponse:
    """Download the public half of the certificate that waits to be registered, or else of the one in use."""
    tenant = _tenant(request)
    pem = tenant.next_certificate or tenant.certificate
    if not pem:
        raise Http404
    response = HttpResponse(pem, content_type="application/x-x509-ca-cert")
    response.headers["Content-Disposition"] = 'attachment; filename="ehr-connector-graph.cer"'
    return response


_DONE = {
    "make": "A certificate was made. Register it in Entra, then use it.",
    "use": "Entra accepts the certificate. It is used from now on.",
    "discard": "The certificate that waited was discarded.",
    "remove-secret": "The client secret was removed. Delete it in Entra too.",
}


def _page(
    request: PortalRequest,
    tenant: TeamsTenant,
    *,
    form: TenantForm | None = None,
    secret_form: SecretForm | None = None,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "form": form or TenantForm(initial={name: getattr(tenant, name) for name in service.EDITABLE}),
        "secret_form": secret_form or SecretForm(today=now.date()),
        "teams": TenantPage(tenant, now),
        "crumbs": under_setup(),
    }
    return render(request, "meetings/teams.html", context)


def _tenant(request: PortalRequest) -> TeamsTenant:
    tenant = service.tenant_of(request.organization)
    if tenant is None:
        raise Http404
    return tenant


def _words(error: ConnectorError) -> str:
    if error.user_message:
        return error.user_message
    return "Microsoft Entra cannot be reached. Nothing was changed; try again."

"""Setup: the certificates with which interface engines prove who they are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import F, Max
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError
from hl7intake.certificates import MAX_BYTES, CertificateDetails
from hl7intake.forms import CertificateForm
from hl7intake.models import SenderCertificate
from hl7intake.presenters.certificates import CertificateRow, by_endpoint, common_name, facts_of
from hl7intake.services.certificates import add_certificate, check_certificate, revoke
from hl7intake.trust import own_certificates
from hl7intake.views.scope import STAFF, endpoint_of, endpoints_of, show_environment

_CRUMBS = [("Setup", reverse_lazy("portal:setup")), ("Sender certificates", reverse_lazy("hl7:certificates"))]


@portal_page(*STAFF)
@require_safe
def certificates(request: PortalRequest) -> HttpResponse:
    """List the certificates of every endpoint, with what becomes of them next."""
    now = timezone.now()
    listed = SenderCertificate.objects.for_organization(request.organization).of_engines().remembered_at(now)
    listed = listed.annotate(last_message_at=Max("messages__received_at"))
    listed = listed.order_by(F("revoked_at").asc(nulls_first=True), "-not_after")
    can_add = Role.ADMIN in request.roles
    context = {
        "groups": by_endpoint(
            endpoints_of(request), listed, can_add=can_add, now=now, zone=request.organization.time_zone
        ),
        "can_add": can_add,
        "host": settings.MLLP_PUBLIC_HOST,
        "port": settings.MLLP_PORT,
        "has_own": bool(_own_certificates()),
        "crumbs": _CRUMBS[:1],
    }
    return render(request, "hl7intake/certificates.html", context)


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Take a file and show what is in it; nothing is kept yet."""
    endpoint = endpoint_of(request, endpoint_id)
    form = CertificateForm(request.POST, request.FILES) if request.method == "POST" else CertificateForm()
    if form.is_valid():
        try:
            details = check_certificate(form.data_given, now=timezone.now())
        except ConfigurationError as error:
            form.add_error("certificate", error.user_message)
        else:
            return render(
                request,
                "hl7intake/certificate_confirm.html",
                _confirmation(endpoint, details, zone=request.organization.time_zone),
            )
    return render(request, "hl7intake/certificate_add.html", {"form": form, "crumbs": _CRUMBS})


def _confirmation(endpoint: FhirEndpoint, details: CertificateDetails, *, zone: str) -> dict[str, Any]:
    return {
        "name": common_name(details.pem) or details.subject,
        "lead": f"Whoever has its private key may send appointments for {endpoint.name}.",
        "facts": facts_of(details, zone=zone),
        "pem": details.pem,
        "crumbs": _CRUMBS,
        "confirm_url": reverse("hl7:certificate_confirm", args=[endpoint.pk]),
        "confirm_label": f"Let it send for {endpoint.name}",
        "add_url": reverse("hl7:certificate_add", args=[endpoint.pk]),
    }


@portal_page(Role.ADMIN)
@require_POST
def confirm(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Register the certificate that was shown."""
    endpoint = endpoint_of(request, endpoint_id)
    data = request.POST.get("pem", "")[: MAX_BYTES + 1].encode()
    try:
        certificate = add_certificate(endpoint, data, actor=request.user.username, now=timezone.now())
    except ConfigurationError as error:
        messages.error(request, error.user_message)
        return redirect("hl7:certificate_add", endpoint.pk)
    name = common_name(certificate.pem) or certificate.subject
    messages.success(request, f"{name} may send for {endpoint.name} from its next connection on.")
    return redirect("hl7:certificates")


@portal_page(*STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_certificate(request: PortalRequest, certificate_id: UUID) -> HttpResponse:
    """Say what would stop, then refuse the certificate from now on."""
    now = timezone.now()
    own = SenderCertificate.objects.for_organization(request.organization).select_related("endpoint")
    certificate = get_object_or_404(
        own.annotate(last_message_at=Max("messages__received_at")), pk=certificate_id, revoked_at=None
    )
    show_environment(request, certificate.endpoint)
    row = CertificateRow(
        certificate=certificate,
        last_at=getattr(certificate, "last_message_at", None),
        now=now,
        zone=request.organization.time_zone,
    )
    if request.method == "POST":
        revoke(certificate, actor=request.user.username, now=now)
        messages.success(request, f"{row.name} is refused from now on. Its open connections close within a minute.")
        return redirect("hl7:certificates")
    context = {
        "row": row,
        "crumbs": _CRUMBS,
        "is_last": _is_last(certificate, now=now),
        "stops_title": f"The only certificate of {certificate.endpoint.name}: no appointment arrives after this.",
    }
    return render(request, "hl7intake/certificate_revoke.html", context)


@portal_page(*STAFF)
@require_safe
def listener_certificate(request: PortalRequest) -> HttpResponse:
    """Answer the listener's own certificate, which senders have to trust; never its key."""
    pem = _own_certificates()
    if not pem:
        raise Http404
    response = HttpResponse(pem, content_type="application/x-pem-file")
    response.headers["Content-Disposition"] = 'attachment; filename="listener.crt"'
    return response


def _is_last(certificate: SenderCertificate, *, now: datetime) -> bool:
    others = SenderCertificate.objects.accepted_at(now).filter(endpoint=certificate.endpoint_id)
    return not others.exclude(pk=certificate.pk).exists()


def _own_certificates() -> str:
    return own_certificates(settings.MLLP_TLS_CERTIFICATE_PATH)

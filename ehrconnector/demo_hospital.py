"""The hospital of the demonstration: Lamna Healthcare, set up as its administrators would.

Everything is written as "make it so", so that running it again after an address changed mends it.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from config_portal import snapshot
from config_portal.models import ApproverBinding, Environment, FhirEndpoint, Organization, TeamsTenant
from config_portal.prerequisites import PREREQUISITES
from config_portal.services import epic_sign_in
from config_portal.services.approval import approve_configuration
from config_portal.services.discovery import ask_epic, remember
from config_portal.services.keys import create_keys
from ehrconnector.visit_player.twin import Twin
from hl7intake.models import SenderCertificate
from hl7intake.services.certificates import add_certificate
from launch.records import CONTEXTS
from sms.models import PhoneNumber, SmsConfiguration, SmsConsent, Supplier
from sms.services import consents

ORGANIZER_ID = UUID("aaaaaaaa-0001-4000-8000-000000000006")
ADMINISTRATOR = "avery.reed@lamna.example.org"
APPROVER = "dana.ortiz@lamna.example.org"
SMS_NUMBER = "+18335550142"
REMINDERS = [24 * 60, 2 * 60, 10]
ENDPOINTS = {Environment.TEST: "lamna-test", Environment.PRODUCTION: "lamna-main"}
APPROVER_OBJECT_ID = UUID("aaaaaaaa-0001-4000-8000-000000000002")


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """Where the sandbox is and whose certificate its HL7 sender shows."""

    sandbox_url: str
    sender_certificate: Path


def set_up(demonstration: Demonstration, *, now: datetime) -> Organization:
    """Make the hospital, register it at the sandbox, and approve its connections.

    :raises ConnectorError: when the sandbox does not answer as an Epic would.
    """
    organization = _organization(now=now)
    endpoints = [
        _endpoint(organization, environment, name, sandbox_url=demonstration.sandbox_url, now=now)
        for environment, name in ENDPOINTS.items()
    ]
    Twin(demonstration.sandbox_url).set_up(_registration(endpoints))
    for endpoint in endpoints:
        _approve(endpoint, now=now)
        _trust_sender(endpoint, demonstration.sender_certificate, now=now)
    return organization


@transaction.atomic
def _organization(*, now: datetime) -> Organization:
    organization, _ = Organization.objects.update_or_create(
        slug="lamna",
        defaults={
            "name": "Lamna Healthcare",
            "help_phone": "(608) 555-0110",
            "epic_contact_name": "Dana Ortiz",
            "epic_contact_email": APPROVER,
            "prerequisites": {item.key: {"by": APPROVER, "at": now.isoformat()} for item in PREREQUISITES},
            "test_authorized_at": now,
            "production_authorized_at": now,
        },
    )
    TeamsTenant.objects.update_or_create(
        organization=organization,
        defaults={
            "tenant_id": settings.ENTRA_TENANT_ID,
            "client_id": settings.ENTRA_CLIENT_ID,
            "client_secret": settings.ENTRA_CLIENT_SECRET,
            "organizer_object_id": ORGANIZER_ID,
        },
    )
    for environment in ENDPOINTS:
        if not organization.signing_keys.filter(environment=environment).exists():
            create_keys(organization, environment=environment, now=now, activate=True)
    consents.give(organization, SmsConsent.Kind.values, actor=ADMINISTRATOR, now=now)
    return organization


@transaction.atomic
def _endpoint(
    organization: Organization, environment: str, name: str, *, sandbox_url: str, now: datetime
) -> FhirEndpoint:
    endpoint, _ = FhirEndpoint.objects.update_or_create(
        organization=organization,
        name=name,
        defaults={
            "environment": environment,
            "base_url": f"{sandbox_url}/epic/{environment}/api/FHIR/R4",
            "provider_client_id": f"{name}-provider",
            "patient_client_id": f"{name}-patient",
            "backend_client_id": f"{name}-backend",
            "visit_types": ["VV30", "VGRP60"],
            "frame_ancestors": [sandbox_url],
            "approver_username": APPROVER,
        },
    )
    ApproverBinding.objects.update_or_create(
        endpoint=endpoint,
        defaults={
            "username": APPROVER,
            "tenant_id": settings.ENTRA_TENANT_ID,
            "object_id": APPROVER_OBJECT_ID,
            "bound_at": now,
        },
    )
    number, _ = PhoneNumber.objects.get_or_create(
        number=SMS_NUMBER,
        defaults={
            "organization": organization,
            "supplier": Supplier.ACS,
            "verification": PhoneNumber.Verification.APPROVED,
        },
    )
    SmsConfiguration.objects.update_or_create(
        endpoint=endpoint,
        # No quiet hours: what a demonstration shows must not depend on the time of day.
        defaults={"number": number, "reminder_minutes": REMINDERS, "quiet_from": None, "quiet_until": None},
    )
    return endpoint


def _approve(endpoint: FhirEndpoint, *, now: datetime) -> None:
    """Approve the configuration unless just this one is approved already."""
    found = ask_epic(endpoint)
    remember(endpoint, found, now=now)
    endpoint = snapshot.with_parts(FhirEndpoint.objects.all()).get(pk=endpoint.pk)
    digest = snapshot.digest(snapshot.take(endpoint, smart=asdict(found.smart)))
    if endpoint.approved_version is None or endpoint.approved_version.digest != digest:
        approve_configuration(endpoint, smart=found.smart, seen_digest=digest, approved_by=APPROVER, now=now)


def _trust_sender(endpoint: FhirEndpoint, certificate: Path, *, now: datetime) -> None:
    """Let the sandbox's integration engine send for the test environment; a certificate serves one."""
    if endpoint.environment != Environment.TEST:
        return
    data = certificate.read_bytes()
    fingerprint = x509.load_pem_x509_certificate(data).fingerprint(SHA256()).hex()
    if not SenderCertificate.objects.filter(endpoint=endpoint, revoked_at=None, fingerprint=fingerprint).exists():
        add_certificate(endpoint, data, actor=APPROVER, now=now)


def _registration(endpoints: list[FhirEndpoint]) -> dict[str, Any]:
    """Return what analysts and administrators would type into Epic, Entra and Azure."""
    callbacks = [reverse("openid_connect_callback", args=["entra"]), reverse("launch:account_callback")]
    return {
        "entra": {
            "tenant_id": settings.ENTRA_TENANT_ID,
            "apps": [
                {
                    "client_id": settings.ENTRA_CLIENT_ID,
                    "client_secret": settings.ENTRA_CLIENT_SECRET,
                    "redirect_uris": [settings.PUBLIC_URL + path for path in callbacks],
                }
            ],
        },
        "epic": [_epic_registration(endpoint) for endpoint in endpoints],
        "acs": {
            "access_key": settings.ACS_ACCESS_KEY,
            "numbers": [SMS_NUMBER],
            "event_webhook_url": settings.PUBLIC_URL + reverse("sms:acs_events"),
            "event_webhook_header": {"name": "X-Connector-Secret", "value": settings.ACS_WEBHOOK_SECRET},
        },
        "twilio": {"account_sid": settings.TWILIO_ACCOUNT_SID, "auth_token": settings.TWILIO_AUTH_TOKEN},
        "hl7": {"host": "127.0.0.1", "port": settings.MLLP_PORT},
        "graph": {},
    }


def _epic_registration(endpoint: FhirEndpoint) -> dict[str, Any]:
    jwks_url = settings.PUBLIC_URL + reverse("portal:jwks", args=[endpoint.launch_id])
    clients = {
        "provider": endpoint.provider_client_id,
        "patient": endpoint.patient_client_id,
        "backend": endpoint.backend_client_id,
    }
    launched = ("provider", "patient")
    return {
        "environment": endpoint.environment,
        "clients": [
            {
                "client_id": client_id,
                "app": app,
                "redirect_uris": _redirect_uris(endpoint, app) if app in launched else [],
                "jwks_url": jwks_url,
            }
            for app, client_id in clients.items()
        ],
        "records": [
            {
                "kind": kind,
                "launch_url": _launch_url(endpoint, app, "start"),
                "client_id": clients[app],
                "context": CONTEXTS[kind],
            }
            for app in launched
            for kind in (app, f"{app}_group")
        ],
    }


def _redirect_uris(endpoint: FhirEndpoint, app: str) -> list[str]:
    """Return where Epic may send browsers back to; the approver's sign-in uses the clinicians' app too."""
    own = _launch_url(endpoint, app, "callback")
    return [own, epic_sign_in.redirect_uri(endpoint)] if app == "provider" else [own]


def _launch_url(endpoint: FhirEndpoint, audience: str, step: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(f'launch:{audience}_{step}', args=[endpoint.launch_id])}"

"""Rows for tests; everybody in them is fictional."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import Role, User
from config_portal.models import Environment, FhirEndpoint, Membership, Organization, TeamsTenant
from config_portal.services.approval import approve_configuration
from config_portal.services.keys import create_keys
from epic.connection import SmartEndpoints
from sms.models import PhoneNumber, SmsConfiguration, SmsConsent, Supplier
from sms.services import consents
from visits.models import PatientContact, Visit
from visits.services.scheduling import ScheduledPerson, ScheduledVisit, schedule_visit

TENANT_ID = uuid.UUID("11111111-2222-4333-8444-555555555555")
ORGANIZER_ID = uuid.UUID("aaaaaaaa-0001-4000-8000-000000000006")
BASE_URL = "https://fhir.lamna.example.org/interconnect/api/FHIR/R4"
SMART = SmartEndpoints(
    issuer="https://fhir.lamna.example.org/interconnect/oauth2",
    authorization_endpoint="https://fhir.lamna.example.org/interconnect/oauth2/authorize",
    token_endpoint="https://fhir.lamna.example.org/interconnect/oauth2/token",
    jwks_uri="https://fhir.lamna.example.org/interconnect/oauth2/jwks",
)


def make_organization(**values: Any) -> Organization:
    """Return Lamna Healthcare, authorized, with a Teams tenant."""
    number = Organization.objects.count() + 1
    values = {
        "name": "Lamna Healthcare",
        "slug": f"lamna-{number}",
        "help_phone": "(608) 555-0110",
        "test_authorized_at": timezone.now(),
        "production_authorized_at": timezone.now(),
        **values,
    }
    organization = Organization.objects.create(**values)
    TeamsTenant.objects.create(
        organization=organization,
        tenant_id=TENANT_ID,
        client_id=uuid.UUID(int=42),
        client_secret="s3cret",
        organizer_object_id=ORGANIZER_ID,
    )
    return organization


def make_endpoint(
    organization: Organization | None = None, *, approved: bool = True, with_sms: bool = True, **values: Any
) -> FhirEndpoint:
    """Return a test endpoint with keys, by default approved and with texts switched on."""
    organization = organization or make_organization()
    environment = values.get("environment", Environment.TEST)
    values = {
        "name": f"lamna-{environment}-{organization.endpoints.count() + 1}",
        "environment": environment,
        "base_url": BASE_URL,
        "provider_client_id": "provider-app",
        "patient_client_id": "patient-app",
        "backend_client_id": "backend-app",
        "visit_types": ["VV30", "VGRP60"],
        **values,
    }
    endpoint = FhirEndpoint.objects.create(organization=organization, **values)
    if not organization.signing_keys.filter(environment=environment).exists():
        create_keys(organization, environment=environment, now=timezone.now(), activate=True)
    if with_sms:
        make_sms_configuration(endpoint)
    if approved:
        approve(endpoint)
    return endpoint


def make_sms_configuration(endpoint: FhirEndpoint, **values: Any) -> SmsConfiguration:
    """Switch texts on for ``endpoint``, through ACS unless told otherwise, with both consents and no quiet hours.

    No quiet hours, because what a test sees must not depend on when it runs.
    """
    supplier = values.pop("supplier", Supplier.ACS)
    number, _ = PhoneNumber.objects.get_or_create(
        number=values.pop("number", "+18335550142"),
        defaults={
            "organization": endpoint.organization,
            "supplier": supplier,
            "verification": PhoneNumber.Verification.APPROVED,
        },
    )
    consents.give(
        endpoint.organization, SmsConsent.Kind.values, actor="avery.reed@lamna.example.org", now=timezone.now()
    )
    values = {"quiet_from": None, "quiet_until": None, **values}
    return SmsConfiguration.objects.create(endpoint=endpoint, number=number, **values)


def approve(endpoint: FhirEndpoint, *, smart: SmartEndpoints = SMART) -> None:
    """Approve the configuration of ``endpoint`` as it stands."""
    approve_configuration(
        endpoint, smart=smart, seen_digest=None, approved_by="dana.ortiz@lamna.example.org", now=timezone.now()
    )


def make_scheduled(**values: Any) -> ScheduledVisit:
    """Return what a schedule message says: Elena's video visit, tomorrow by default."""
    starts_at = values.pop("starts_at", timezone.now().replace(microsecond=0) + timedelta(days=1))
    values = {
        "session_id": "482200417",
        "changed_at": datetime(2026, 9, 14, 15, 30, 12, tzinfo=UTC),
        "ends_at": starts_at + timedelta(minutes=30),
        "time_zone": "America/Chicago",
        "visit_type": "VV30",
        "visit_type_name": "VIDEO VISIT 30",
        "department": "LMFM",
        "people": (ScheduledPerson(record_number="E40021877", phone="+16085550177"),),
        **values,
    }
    return ScheduledVisit(starts_at=starts_at, **values)


def make_visit(endpoint: FhirEndpoint | None = None, **values: Any) -> Visit:
    """Return a scheduled visit with one contact, stored as a schedule message would store it."""
    outcome = schedule_visit(endpoint or make_endpoint(), make_scheduled(**values), now=timezone.now())
    assert outcome.visit is not None
    return outcome.visit


def make_contact(visit: Visit | None = None) -> PatientContact:
    """Return the contact of ``visit``."""
    return (visit or make_visit()).contacts.get()


def make_staff(organization: Organization, *roles: Role, username: str = "avery.reed@lamna.example.org") -> User:
    """Return a staff user with ``roles`` in ``organization``."""
    user = User.objects.create(
        username=username, entra_tenant_id=TENANT_ID, entra_object_id=uuid.uuid4(), roles=[str(role) for role in roles]
    )
    for role in roles:
        Membership.objects.create(organization=organization, user=user, role=role)
    return user

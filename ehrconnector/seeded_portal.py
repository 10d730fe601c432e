"""Many invented organizations, to measure the portal with: each like a real one, keys and checks included."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID, uuid4, uuid5

from django.db import transaction

from accounts.models import Role, User
from config_portal.models import (
    ConfigurationVersion,
    Environment,
    FhirEndpoint,
    Membership,
    Organization,
    PreflightRun,
    SigningKey,
    TeamsTenant,
)
from config_portal.prerequisites import PREREQUISITES
from config_portal.services.drafts import drafts_of
from config_portal.services.keys import new_certificate

PREFIX = "seeded-"
STAFF_EVERY = 50  # one administrator for this many organizations
_SPACE = UUID("5eeded00-0000-4000-8000-000000000000")
_BATCH = 2_000


@transaction.atomic
def seed(*, organizations: int, endpoints: int, now: datetime) -> None:
    """Add ``organizations`` with ``endpoints`` spread evenly over them; half of the endpoints are approved."""
    made = Organization.objects.bulk_create(_organizations(organizations, now=now), batch_size=_BATCH)
    TeamsTenant.objects.bulk_create((_tenant(one) for one in made), batch_size=_BATCH)
    SigningKey.objects.bulk_create(_keys(made, now=now), batch_size=_BATCH)
    _staff(made)
    rows = list(islice(_endpoints(made), endpoints))
    FhirEndpoint.objects.bulk_create(rows, batch_size=_BATCH)
    _approve([row.pk for row in rows[::2]], now=now)
    PreflightRun.objects.bulk_create((_run(row, now=now) for row in rows), batch_size=_BATCH)


def _organizations(count: int, *, now: datetime) -> Iterator[Organization]:
    marks = {item.key: {"by": "seed", "at": now.isoformat()} for item in PREREQUISITES}
    for number in range(count):
        yield Organization(
            name=f"Seeded Health {number:05}",
            slug=f"{PREFIX}{number:05}",
            help_phone="(608) 555-0110",
            epic_contact_name="Dana Ortiz",
            epic_contact_email="dana.ortiz@example.org",
            prerequisites=marks,
            test_authorized_at=now,
            production_authorized_at=now,
        )


def _tenant(organization: Organization) -> TeamsTenant:
    return TeamsTenant(
        organization=organization,
        tenant_id=uuid5(_SPACE, f"tenant {organization.slug}"),
        client_id=uuid5(_SPACE, f"client {organization.slug}"),
        client_secret="invented",  # noqa: S106 - no secret of anything
        organizer_object_id=uuid5(_SPACE, f"organizer {organization.slug}"),
    )


def _keys(organizations: list[Organization], *, now: datetime) -> Iterator[SigningKey]:
    """Give every organization its rows; one real pair serves all, as making thousands would take an hour."""
    pair = new_certificate(name="seeded", now=now)
    for organization in organizations:
        for environment in Environment.values:
            for purpose in SigningKey.Purpose.values:
                yield SigningKey(
                    organization=organization, environment=environment, purpose=purpose, state="active",
                    key_id=uuid4().hex, private_key=pair.private_key, public_jwk={}, certificate=pair.certificate,
                    activated_at=now, confirmed_at=now,
                )  # fmt: skip


def _staff(organizations: list[Organization]) -> None:
    chosen = organizations[::STAFF_EVERY]
    users = User.objects.bulk_create(
        User(username=f"admin@{one.slug}.example.org", roles=[Role.ADMIN], entra_object_id=uuid4()) for one in chosen
    )
    Membership.objects.bulk_create(
        Membership(organization=one, user=user, role=Role.ADMIN) for one, user in zip(chosen, users, strict=True)
    )


def _endpoints(organizations: list[Organization]) -> Iterator[FhirEndpoint]:
    number = 0
    while True:
        environment = Environment.PRODUCTION if number % 2 else Environment.TEST
        for organization in organizations:
            yield FhirEndpoint(
                organization=organization, name=f"epic-{number}", environment=environment,
                base_url=f"https://fhir{number}.{organization.slug}.example.org/interconnect/api/FHIR/R4",
                provider_client_id="provider", patient_client_id="patient", backend_client_id="backend",
                visit_types=["VV30"], approver_username="dana.ortiz@example.org",
                discovered={"smart": _smart(organization)},
            )  # fmt: skip
        number += 1


def _smart(organization: Organization) -> dict[str, str]:
    oauth = f"https://fhir.{organization.slug}.example.org/interconnect/oauth2"
    names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
    return {"issuer": oauth, **{name: f"{oauth}/{path}" for name, path in names.items()}}


def _approve(ids: list[UUID], *, now: datetime) -> None:
    """Approve these as they stand, with the same queries for any number."""
    endpoints = FhirEndpoint.objects.filter(pk__in=ids).select_related("organization__teams_tenant")
    drafts = drafts_of(endpoints)
    versions = [
        ConfigurationVersion(
            endpoint=draft.endpoint, number=1, snapshot=draft.content, digest=draft.digest,
            approved_at=now, approved_by="dana.ortiz@example.org",
        )
        for draft in drafts
    ]  # fmt: skip
    ConfigurationVersion.objects.bulk_create(versions, batch_size=_BATCH)
    for draft, version in zip(drafts, versions, strict=True):
        draft.endpoint.approved_version = version
    FhirEndpoint.objects.bulk_update([draft.endpoint for draft in drafts], ["approved_version"], batch_size=_BATCH)


def _run(endpoint: FhirEndpoint, *, now: datetime) -> PreflightRun:
    return PreflightRun(
        organization_id=endpoint.organization_id, endpoint=endpoint, state=PreflightRun.State.FINISHED,
        requested_by="seed", digest="0" * 64, passed=16, finished_at=now - timedelta(hours=1),
    )  # fmt: skip

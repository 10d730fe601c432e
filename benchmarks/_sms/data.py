"""Rows to measure with: one hospital, texts that are due now, and many more that are due later."""

import uuid
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from config_portal.models import Environment, FhirEndpoint, Organization
from config_portal.services.approval import approve_configuration
from core import crypto
from epic.connection import SmartEndpoints
from sms.models import PhoneNumber, SmsConfiguration, SmsConsent, SmsMessage, Supplier
from sms.services import consents
from visits.models import PatientContact, Visit

NUMBER = "+18335550142"
REMINDERS = [10080, 2880, 1440, 120]
_BATCH = 5_000
_LONG = "https://fhir.lamna.example.org/oauth2"

# Texts of the far future only have to be there: nobody reads their numbers, so the database makes them up.
_FUTURE = """
    WITH visit AS (
        INSERT INTO visits_visit (id, organization_id, endpoint_id, reference, session_id, session_index,
            conference_index, state, version, starts_at, time_zone, visit_type, visit_type_name, department, is_group,
            interpreter_language, created_at, updated_at)
        SELECT gen_random_uuid(), %(organization)s, %(endpoint)s, 'F' || n, '\\x00', 'future-' || n, '', 'scheduled', 1,
               %(from)s + (n %% 200000) * interval '40 seconds', 'America/Chicago', 'VV30', '', '', false, '',
               now(), now()
          FROM generate_series(%(first)s, %(last)s) AS n RETURNING id, starts_at),
    contact AS (
        INSERT INTO visits_patientcontact (id, visit_id, person_index, phone, phone_index, revision, language, purge_at,
            created_at)
        SELECT gen_random_uuid(), id, '', '\\x00', left(id::text, 32), 1, 'en', starts_at, now()
          FROM visit RETURNING id, visit_id)
    INSERT INTO sms_smsmessage (id, organization_id, visit_id, contact_id, kind, visit_version, contact_revision,
        offset_minutes, copy, resend_reason, route, supplier, supplier_message_id, supplier_code, report_status,
        segments, number_ending, words_index, checks, state, due_at, expires_at, attempts, error_code, created_at)
    SELECT gen_random_uuid(), %(organization)s, visit.id, contact.id, 'reminder', 1, 0, lead, 0, '', 0, '', '', '', '',
           0, '', '', 0, 'pending', visit.starts_at - lead * interval '1 minute', visit.starts_at, 0, '', now()
      FROM visit JOIN contact ON contact.visit_id = visit.id, unnest(%(leads)s::int[]) AS lead
"""
_READY = """
    UPDATE sms_smsmessage SET state = 'pending', due_at = %(due)s, expires_at = %(due)s + interval '12 hours',
           attempts = 0, attempt_id = NULL, lease_until = NULL, first_sent_at = NULL, accepted_at = NULL,
           finished_at = NULL, supplier = '', supplier_message_id = '', number_id = NULL, error_code = ''
     WHERE offset_minutes = %(offset)s AND id IN (
           SELECT id FROM sms_smsmessage WHERE offset_minutes = %(offset)s ORDER BY id LIMIT %(count)s)
"""
DUE_OFFSET = 1441  # tells the texts that become due from those of the future


def make_hospital(*, now: datetime) -> FhirEndpoint:
    """Return an approved FHIR endpoint whose number may send as fast as it can."""
    organization = Organization.objects.create(name="Lamna Healthcare", slug="lamna")
    consents.give(organization, SmsConsent.Kind.values, actor="bench", now=now)
    endpoint = FhirEndpoint.objects.create(
        organization=organization, name="lamna-test", environment=Environment.TEST, base_url=f"{_LONG}/api/FHIR/R4"
    )
    number = PhoneNumber.objects.create(
        organization=organization,
        number=NUMBER,
        supplier=Supplier.ACS,
        verification=PhoneNumber.Verification.APPROVED,
        per_minute=50_000_000,
    )
    SmsConfiguration.objects.create(
        endpoint=endpoint, number=number, quiet_from=None, quiet_until=None, organization_cap=2_000_000_000
    )
    smart = SmartEndpoints(
        issuer=_LONG, authorization_endpoint=f"{_LONG}/authorize", token_endpoint=f"{_LONG}/token", jwks_uri=_LONG
    )
    approve_configuration(endpoint, smart=smart, seen_digest=None, approved_by="bench", now=now)
    return endpoint


def add_due(endpoint: FhirEndpoint, count: int, *, now: datetime) -> None:
    """Store ``count`` reminders with numbers that can be read; :func:`make_due` makes them due."""
    for first in range(0, count, _BATCH):
        size = min(_BATCH, count - first)
        visits = [_visit(endpoint, first + n, now=now) for n in range(size)]
        contacts = [_contact(visit, first + n) for n, visit in enumerate(visits)]
        Visit.objects.bulk_create(visits)
        PatientContact.objects.bulk_create(contacts)
        SmsMessage.objects.bulk_create(_text(endpoint, contact, now=now) for contact in contacts)


def add_future(endpoint: FhirEndpoint, count: int, *, first: int, now: datetime) -> None:
    """Store ``count`` reminders that are due weeks from now, four for each visit."""
    visits = count // len(REMINDERS)
    for start in range(first, first + visits, 25_000):
        values = {
            "organization": endpoint.organization_id,
            "endpoint": endpoint.pk,
            "from": now + timedelta(days=30),
            "first": start,
            "last": min(start + 25_000, first + visits) - 1,
            "leads": REMINDERS,
        }
        _execute(_FUTURE, values)


def make_due(count: int, *, at: datetime) -> None:
    """Let ``count`` reminders be due at ``at``, none of them begun."""
    _execute("DELETE FROM sms_usagehour", {})
    _execute("UPDATE sms_smsmessage SET state = 'withdrawn' WHERE offset_minutes = %(offset)s", {"offset": DUE_OFFSET})
    _execute(_READY, {"due": at, "offset": DUE_OFFSET, "count": count})
    tidy()


def tidy() -> None:
    """Leave no dead rows, fresh statistics and a quiet disk, as autovacuum and time would by and by."""
    _execute("VACUUM ANALYZE sms_smsmessage", {})
    _execute("VACUUM ANALYZE visits_visit", {})
    _execute("VACUUM ANALYZE visits_patientcontact", {})
    _execute("CHECKPOINT", {})  # else what is measured first pays for what was stored before


def database_bytes() -> int:
    """Return how much disk the database needs, indexes included."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _execute(statement: str, values: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)  # type: ignore[arg-type]


def _visit(endpoint: FhirEndpoint, n: int, *, now: datetime) -> Visit:
    return Visit(
        organization_id=endpoint.organization_id,
        endpoint=endpoint,
        reference=f"D{n}",
        session_id=str(n),
        session_index=f"due-{n}",
        starts_at=now + timedelta(days=2),
        ends_at=now + timedelta(days=2, minutes=30),
        time_zone="America/Chicago",
    )


def _contact(visit: Visit, n: int) -> PatientContact:
    phone = f"+1608{5_500_000 + n % 100_000:07d}"
    index = crypto.index(phone, purpose="phone")
    return PatientContact(visit=visit, phone=phone, phone_index=index, purge_at=visit.starts_at or timezone.now())


def _text(endpoint: FhirEndpoint, contact: PatientContact, *, now: datetime) -> SmsMessage:
    return SmsMessage(
        id=uuid.uuid4(),
        organization_id=endpoint.organization_id,
        visit=contact.visit,
        contact=contact,
        kind=SmsMessage.Kind.REMINDER,
        visit_version=1,
        contact_revision=0,
        offset_minutes=DUE_OFFSET,
        state=SmsMessage.State.WITHDRAWN,
        due_at=now,
        expires_at=now + timedelta(hours=12),
    )

"""A hospital with a year of visits, written by the database itself, with ten people in each.

What the facts must say follows from the same arithmetic; :func:`wrong_facts` derives some of them from presence by
the product's own code and compares.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Role, User
from config_portal.models import FhirEndpoint, Membership, Organization
from reports.models import VisitFact
from reports.services import facts

PEOPLE = 10
DAYS = 365
_SLUG = "reports-benchmark"

# Neither the reports' own triggers nor foreign keys, which hold, are to look at forty million rows one by one.
# i is the number of a visit, k that of a person in it; every twentieth visit has no patient, every other of those
# nobody at all. Times are seconds from the planned start.
_SEED = """
SET LOCAL session_replication_role = replica;
CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
SELECT i, md5('visit' || i)::uuid AS visit, md5('meeting' || i)::uuid AS meeting,
       date_trunc('day', %(now)s::timestamptz) - make_interval(days => 1 + i %% %(days)s)
           + make_interval(secs => 28800 + (i * 61 %% 36000)) AS start,
       600 + i %% 1800 * 7919 %% 1800 AS length, i * 31 %% 300 AS early,
       CASE WHEN i %% 20 = 17 THEN 'patient_no_show' WHEN i %% 20 > 17 THEN 'nobody_joined' ELSE 'completed' END AS how,
       (%(endpoints)s::uuid[])[1 + i %% 3] AS endpoint, 'DEP' || i %% 23 AS department,
       'VV' || 15 * (1 + i %% 4) AS visit_type
  FROM generate_series(1, %(visits)s) AS i;
INSERT INTO visits_visit (id, organization_id, endpoint_id, reference, session_id, session_index, conference_index,
    state, version, starts_at, ends_at, time_zone, visit_type, visit_type_name, department, is_group,
    interpreter_language, created_at, updated_at)
SELECT visit, %(organization)s, endpoint, 'B' || lpad(i::text, 9, '0'), '', md5('session' || i), '', 'scheduled', 1,
    start, start + interval '30 minutes', 'America/Chicago', visit_type, '', department, false, '', start, start
  FROM plan;
INSERT INTO meetings_meeting (id, organization_id, visit_id, external_id, generation, tenant_id, client_id,
    organizer_object_id, patient_link_is_fallback, option_differences, state, call_ends, created_at, sync_attempts,
    error_code, reconcile_attempts, reconcile_error)
SELECT meeting, %(organization)s, visit, md5('external' || i), 1, meeting, meeting, meeting, false, '{}', 'ended', '{}',
    start, 0, '', 0, '' FROM plan;
INSERT INTO meetings_participant (id, organization_id, meeting_id, role, ordinal, ehr_user_id, ehr_user_index, state,
    state_at, request_id, created_at)
SELECT md5('person' || i || '.' || k)::uuid, %(organization)s, meeting,
    CASE WHEN k = 0 THEN 'provider' WHEN k = 1 THEN 'patient' ELSE 'guest' END, CASE WHEN k > 1 THEN k ELSE 1 END, '',
    CASE WHEN k = 0 THEN 'provider' || i %% 400 ELSE '' END, 'left', start, '', start
  FROM plan, generate_series(0, %(people)s - 1) AS k;
INSERT INTO meetings_presenceevent (id, participant_id, kind, sequence, at, source, is_superseded, created_at)
SELECT md5(i || '.' || k || kind)::uuid, md5('person' || i || '.' || k)::uuid, kind, sequence,
    start + make_interval(secs => seconds), 'graph', false, start
  FROM plan, generate_series(0, %(people)s - 1) AS k, LATERAL (VALUES
    ('lobby_entered', 1, -10 * k - early), ('connected', 2, 60 + k), ('disconnected', 3, 60 + length - k)
  ) AS events (kind, sequence, seconds)
 WHERE how = 'completed' AND (k > 0 OR kind <> 'lobby_entered')
    OR how = 'patient_no_show' AND k = 0 AND kind <> 'lobby_entered';
INSERT INTO reports_visitfact (visit_id, organization_id, endpoint_id, is_production, starts_at, status,
    microsoft_status, duration, lobby_wait, waits, gave_up, peak, total, department, visit_type, provider_index,
    join_index, texts_sent, texts_delivered)
SELECT visit, %(organization)s, endpoint, false,
    start + make_interval(secs => CASE how WHEN 'completed' THEN 61 WHEN 'patient_no_show' THEN 60 ELSE 0 END), how,
    CASE how WHEN 'completed' THEN 'completed' WHEN 'patient_no_show' THEN 'no_show' ELSE '' END,
    CASE how WHEN 'completed' THEN length - 1 ELSE 0 END,
    CASE how WHEN 'completed' THEN 61 + 10 * (%(people)s - 1) + early END,
    CASE how WHEN 'completed' THEN ARRAY(SELECT 60 + 11 * k + early FROM generate_series(1, %(people)s - 1) AS k)
        ELSE '{}' END,
    0, CASE how WHEN 'completed' THEN %(people)s WHEN 'patient_no_show' THEN 1 ELSE 0 END,
    CASE how WHEN 'completed' THEN %(people)s WHEN 'patient_no_show' THEN 1 ELSE 0 END,
    department, visit_type, 'provider' || i %% 400, '', 0, 0 FROM plan;
"""
# What other columns of text hold does not matter here, in a database of the benchmark's own.
_EMPTY = """
SELECT format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %L', table_name, column_name, '')
  FROM information_schema.columns
 WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL
   AND data_type IN ('character varying', 'text')
   AND table_name IN ('visits_visit', 'meetings_meeting', 'meetings_participant', 'meetings_presenceevent')
"""
_TABLES = (
    "visits_visit", "meetings_meeting", "meetings_participant", "meetings_presenceevent", "reports_visitfact",
    "reports_visitday",
)  # fmt: skip


@transaction.atomic
def hospital(*, visits: int) -> tuple[Organization, User]:
    """Return a hospital with ``visits`` visits of the last year, and somebody who reads its reports."""
    organization, is_new = Organization.objects.get_or_create(slug=_SLUG, defaults={"name": "Lamna Benchmark"})
    if is_new:
        _write(organization, visits=visits, now=timezone.now())
    reader, _ = User.objects.get_or_create(
        username="reader@benchmark.example.org", defaults={"roles": [Role.ADMIN], "entra_object_id": uuid.uuid4()}
    )
    Membership.objects.get_or_create(organization=organization, user=reader, role=Role.ADMIN)
    return organization, reader


def _write(organization: Organization, *, visits: int, now: datetime) -> None:
    endpoints = [
        FhirEndpoint.objects.create(
            organization=organization,
            name=f"epic-{number}",
            environment="test",
            base_url=f"https://fhir{number}.benchmark.example.org/api/FHIR/R4",
        )
        for number in range(3)
    ]
    values: dict[str, Any] = {
        "organization": organization.pk, "endpoints": [one.pk for one in endpoints], "visits": visits, "days": DAYS,
        "people": PEOPLE, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        for statement in _SEED.split(";\n"):
            if statement.strip():
                cursor.execute(statement, values)


def analyze() -> None:
    """Let the planner know the new rows, as autovacuum would in a minute."""
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ANALYZE {table}")


def wrong_facts(organization: Organization, *, sample: int) -> int:
    """Derive ``sample`` facts from presence again; return how many differ from what was written."""
    chosen = list(VisitFact.objects.for_organization(organization).order_by("join_index", "visit_id")[:sample])
    before = {fact.visit_id: _comparable(fact) for fact in chosen}
    facts.update(list(before), now=timezone.now())
    after = VisitFact.objects.filter(visit_id__in=before)
    return sum(before[fact.visit_id] != _comparable(fact) for fact in after)


def _comparable(fact: VisitFact) -> tuple[object, ...]:
    return (
        fact.starts_at, fact.status, fact.microsoft_status, fact.duration, fact.lobby_wait, sorted(fact.waits),
        fact.peak, fact.total, fact.department, fact.provider_index,
    )  # fmt: skip


def one_more_arrival(organization: Organization, *, now: datetime) -> uuid.UUID:
    """Let somebody who left yesterday come back late, as Graph might tell; return the visit."""
    fact = VisitFact.objects.for_organization(organization).filter(status="completed").order_by("-starts_at").first()
    assert fact is not None  # noqa: S101 - there are thousands
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE meetings_presenceevent SET at = at + interval '90 seconds' WHERE kind = 'disconnected' AND"
            " participant_id IN (SELECT id FROM meetings_participant WHERE meeting_id ="
            " (SELECT id FROM meetings_meeting WHERE visit_id = %s))",
            [fact.visit_id],
        )
    return fact.visit_id


def a_year(now: datetime) -> tuple[str, str]:
    """Return first and last day of the year that was written."""
    today = now.date()
    return (today - timedelta(days=DAYS)).isoformat(), today.isoformat()

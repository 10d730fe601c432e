"""A hospital with a year of visits, written by the database itself, with ten people, texts and calls in each.

What the facts must say follows from the same arithmetic; :func:`wrong_facts` derives some of them from presence by
the product's own code and compares.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Role, User
from benchmarks._reports import seed
from config_portal.models import FhirEndpoint, Membership, Organization
from reports.models import CallRecord, VisitFact
from reports.quality import Verdict
from reports.services import facts
from sms.models import PhoneNumber, Supplier

SUMS = ("reports_visitday", "reports_textday", "reports_callday", "reports_repeatedcall")
_SLUG = "reports-benchmark"
# What other columns of text hold does not matter here, in a database of the benchmark's own.
_EMPTY = """
SELECT format('ALTER TABLE %%I ALTER COLUMN %%I SET DEFAULT %%L', table_name, column_name, '')
  FROM information_schema.columns
 WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL
   AND data_type IN ('character varying', 'text') AND table_name = ANY(%s)
"""
# Indexes are made when all rows are there: a tenth of the time that it takes row by row.
_INDEXES_OFF = "UPDATE pg_index SET indisready = false WHERE indrelid = ANY(%s::regclass[])"


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
        "organization": organization.pk, "endpoints": [one.pk for one in endpoints], "visits": visits,
        "numbers": [one.pk for one in _numbers(organization)], "days": seed.DAYS, "days_told": seed.DAYS_TOLD,
        "people": seed.PEOPLE, "now": now,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, [list(seed.TABLES)])
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        cursor.execute(_INDEXES_OFF, [list(seed.TABLES)])
        for statement in ";\n".join(seed.STATEMENTS).split(";\n"):
            if statement.strip():
                cursor.execute(statement, values)
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        for table in seed.TABLES:
            cursor.execute(f"REINDEX TABLE {table}")


def _numbers(organization: Organization) -> list[PhoneNumber]:
    """Return the number that each endpoint's texts are sent from: two of one supplier, one of the other."""
    return [
        PhoneNumber.objects.create(organization=organization, number=f"+1206555010{place}", supplier=supplier)
        for place, supplier in enumerate((Supplier.ACS, Supplier.ACS, Supplier.TWILIO))
    ]


def analyze() -> None:
    """Let the planner know the new rows, as autovacuum would in a minute."""
    with connection.cursor() as cursor:
        for table in (*seed.TABLES, *SUMS):
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


def one_more_poor_stream(organization: Organization) -> None:
    """Let a good stream of the newest call that has one have been poor, as a newer version of its record might say."""
    records = CallRecord.objects.for_organization(organization).filter(good__gt=0).order_by("-started_at")
    with transaction.atomic():
        record = records[0]
        stream = record.streams.filter(verdict=Verdict.GOOD)[0]
        stream.verdict, stream.due_to = Verdict.POOR, ["jitter_ms"]
        stream.save()
        record.good, record.poor = record.good - 1, record.poor + 1
        record.save()


def a_year(now: datetime) -> tuple[str, str]:
    """Return first and last day of the year that was written."""
    today = now.date()
    return (today - timedelta(days=seed.DAYS)).isoformat(), today.isoformat()

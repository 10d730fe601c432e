"""How texts of a period ended, for the operator's command."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count

from config_portal.models import Organization
from sms.models import SmsMessage

_PERCENTILES = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM accepted_at - due_at))
      FROM sms_smsmessage
     WHERE organization_id = %s AND accepted_at >= %s AND accepted_at < %s
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """How many texts went one way and ended in one state."""

    supplier: str
    state: str
    status: str
    code: str
    texts: int


@dataclass(frozen=True, kw_only=True)
class SmsReport:
    """The texts of one organization that were due in a period; lateness in seconds, None without any."""

    organization: str
    lines: list[Line]
    late_p50: float | None
    late_p99: float | None


def sms_report(organization: Organization, *, since: datetime, until: datetime) -> SmsReport:
    """Count the texts of ``organization`` that were due in ``[since, until)``."""
    texts = SmsMessage.objects.for_organization(organization).filter(due_at__gte=since, due_at__lt=until)
    rows = texts.values_list("supplier", "state", "report_status", "error_code").annotate(count=Count("pk"))
    lines = [
        Line(supplier=supplier, state=state, status=status, code=code, texts=count)
        for supplier, state, status, code, count in rows.order_by("supplier", "state", "report_status", "error_code")
    ]
    p50, p99 = _lateness(organization, since=since, until=until)
    return SmsReport(organization=organization.slug, lines=lines, late_p50=p50, late_p99=p99)


def _lateness(organization: Organization, *, since: datetime, until: datetime) -> tuple[float | None, float | None]:
    with connection.cursor() as cursor:
        cursor.execute(_PERCENTILES, [organization.pk, since, until])
        (found,) = cursor.fetchone() or (None,)
    return (float(found[0]), float(found[1])) if found else (None, None)

"""Look at calls that Graph says have a record: keep what is a visit's, forget the others.

Graph tells of every call of the tenant and names only an id, so each has to be fetched to know whose it is.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.utils import timezone

from config_portal.models import Organization, TeamsTenant
from core import outbox
from core.errors import ConfigurationError, ConnectorError
from core.locks import only_one
from meetings.services.suppliers import provider_of_tenant
from reports.models import CallNews, CallSweep
from reports.services import call_quality

# Facts know a meeting's address 15 seconds after it was made at the latest; news of one call often come in twos.
SETTLE = timedelta(seconds=30)
# With the growing distance between them about five minutes; after that the sweep has to find it.
MOST_ATTEMPTS = 7
_AT_ONCE = 20
_LOCK = uuid5(UUID(int=0), "reports.look_at_news")

logger = logging.getLogger(__name__)


def note(organization: Organization, record_id: UUID, *, now: datetime) -> None:
    """Have the call looked at soon; news of one that is being looked at has it looked at once more."""
    again = ["state", "due_at", "attempts", "attempt_id", "lease_until", "error_code"]
    CallNews.objects.bulk_create(
        [CallNews(organization=organization, graph_id=record_id, due_at=now + SETTLE)],
        update_conflicts=True,
        unique_fields=["organization", "graph_id"],
        update_fields=again,
    )


def look_at_due() -> bool:
    """Look at every call whose time has come; False when another worker is at it.

    One worker is enough for some calls a second, and leaves the others to what people wait for.
    """
    with only_one(_LOCK) as is_mine:
        if not is_mine:
            return False
        while claimed := _claim_due(now=timezone.now()):
            for news in claimed:
                look_at(news, now=timezone.now())
    return True


def look_at(news: CallNews, *, now: datetime) -> None:
    """Fetch the record of a claimed news; nothing stays of it but what belongs to a visit."""
    tenant = TeamsTenant.objects.filter(organization=news.organization).first()
    if tenant is None:
        _forget(news)
        return
    try:
        provider = provider_of_tenant(tenant)
        head = provider.call_record(str(news.graph_id))
        if head is not None:
            call_quality.take_in_one(provider, news.organization, head)
    except ConfigurationError as error:
        # A person must act; until then the sweep asks, and finds this call too.
        CallSweep.objects.filter(organization=news.organization).update(error_code=error.code)
        _give_up(news, error)
    except ConnectorError as error:
        _retry_or_give_up(news, error, now=now)
    else:
        _forget(news)


def _claim_due(*, now: datetime) -> list[CallNews]:
    CallNews.objects.abandoned_before(now).update(state=CallNews.PENDING, due_at=now)
    due = CallNews.objects.due_before(now).select_related("organization")
    return outbox.claim(due, now=now, limit=_AT_ONCE)


def _retry_or_give_up(news: CallNews, error: ConnectorError, *, now: datetime) -> None:
    if news.attempts >= MOST_ATTEMPTS:
        _give_up(news, error)
    else:
        outbox.retry_later(news, now=now, error_code=error.code, after=getattr(error, "retry_after", None))


def _give_up(news: CallNews, error: ConnectorError) -> None:
    logger.warning("call record left to the sweep", extra={"code": error.code, "attempts": news.attempts})
    _forget(news)


def _forget(news: CallNews) -> None:
    """Remove the row, unless more has been heard of the call meanwhile."""
    CallNews.objects.filter(pk=news.pk, attempt_id=news.attempt_id, state=CallNews.SENDING).delete()

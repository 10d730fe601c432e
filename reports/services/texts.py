"""What became of texts in a period: counts from the sums of days, and the texts themselves."""

from collections import Counter
from datetime import date

from django.db.models import Q, QuerySet, Sum

from reports.models import Level, TextDay
from reports.services.asked import Asked
from reports.services.sorting import Order
from sms.models import SmsMessage

State = SmsMessage.State
# A carrier took the text, whatever became of it after; only these were sent.
SENT = (State.ACCEPTED, State.DELIVERED, State.UNDELIVERED)

Key = tuple[str, str]
ORDER = Order(
    columns={
        "sent": "due_at",
        "kind": "kind",
        "microsoft_status": "report_status",
        "outcome": "state",
        "supplier": "supplier",
        "code": "supplier_code",
        "segments": "segments",
        "attempts": "attempts",
    },
    usual="sent",
    last="pk",
)


def outcomes(asked: Asked) -> Counter[Key]:
    """Return (state, Microsoft's status) → number of texts."""
    found = Counter[Key]()
    for row in _days(asked).values("state", "status").annotate(texts_sum=Sum("texts")).order_by():
        found[row["state"], row["status"]] += row["texts_sum"]
    return found


def segments(asked: Asked) -> int:
    """Return how many segments the sent texts had; suppliers charge by segment."""
    return int(_days(asked).filter(state__in=SENT).aggregate(whole=Sum("segments"))["whole"] or 0)


def by_day(asked: Asked) -> dict[date, Counter[str]]:
    """Return day → state → number of texts."""
    found: dict[date, Counter[str]] = {}
    for row in _days(asked).values("day", "state").annotate(texts_sum=Sum("texts")).order_by():
        found.setdefault(row["day"], Counter())[row["state"]] += row["texts_sum"]
    return found


def texts_of(asked: Asked) -> QuerySet[SmsMessage]:
    """Return the texts asked for that are not waiting any more, with visit and endpoint."""
    since, until = asked.period.moments(asked.zone)
    found = SmsMessage.objects.for_organization(asked.organization).filter(due_at__gte=since, due_at__lt=until)
    found = found.exclude(state__in=(State.PENDING, State.SENDING))
    visit = {f"visit__{name}": value for name, value in asked.dimensions.items()}
    return found.filter(_wanted(asked), **visit).select_related("visit__endpoint", "number")


def sorted_texts(asked: Asked, sort: str = ORDER.newest_first) -> QuerySet[SmsMessage]:
    """Return the texts of :func:`texts_of` in an order, newest first unless another is chosen."""
    return ORDER.apply(texts_of(asked), sort)


def _days(asked: Asked) -> QuerySet[TextDay]:
    period = asked.period
    level = Level.BOTH if asked.department or asked.visit_type else Level.TOTAL
    rows = TextDay.objects.for_organization(asked.organization).filter(
        calendar=period.calendar, level=level, day__gte=period.first, day__lte=period.last, **asked.dimensions
    )
    return rows.filter(_wanted(asked, status="status"))


def _wanted(asked: Asked, *, status: str = "report_status") -> Q:
    """Return the filter for :attr:`Asked.status`: one of Microsoft's statuses, or a state of ours."""
    if not asked.status:
        return Q()
    return Q(**{status: asked.status}) | Q(**{status: "", "state": asked.status})

"""Metrics of texts: how old the queue is, how late texts go out, how they end by supplier and code."""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sms.models import OutcomeHour, SmsMessage, SupplierHealth

State = SmsMessage.State


class SmsCollector(Collector):
    """Reads the tables of texts when it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they stand now."""
        yield from _queue()
        yield _outcomes()
        yield _lateness()
        yield _breakers()


def _queue() -> Iterator[Metric]:
    now = timezone.now()
    due = SmsMessage.objects.due_before(now).aggregate(count=Count("pk"), oldest=Min("due_at"))
    age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    yield GaugeMetricFamily("connector_sms_due_texts", "Texts whose time has come and that wait.", due["count"])
    yield GaugeMetricFamily("connector_sms_oldest_due_seconds", "How long the oldest of them has waited.", age)
    unknown = SmsMessage.objects.filter(state=State.UNKNOWN, check_at__isnull=False).count()
    yield GaugeMetricFamily("connector_sms_unknown_texts", "Texts about which the supplier is being asked.", unknown)


def _outcomes() -> Metric:
    family = CounterMetricFamily(
        "connector_sms_outcomes", "Texts by how they ended.", labels=["supplier", "state", "code"]
    )
    counted = OutcomeHour.objects.values_list("supplier", "state", "code").annotate(texts=Sum("texts"))
    for supplier, state, code, texts in counted.order_by("supplier", "state", "code"):
        family.add_metric([supplier, state, code], texts)
    return family


def _lateness() -> Metric:
    """Return how long after their due time texts were handed over, as a histogram for each supplier."""
    family = HistogramMetricFamily(
        "connector_sms_lateness_seconds", "From a text's due time to the supplier's acceptance.", labels=["supplier"]
    )
    texts: defaultdict[str, dict[int, int]] = defaultdict(dict)
    seconds: defaultdict[str, float] = defaultdict(float)
    rows = OutcomeHour.objects.filter(state=State.ACCEPTED).values_list("supplier", "late_within")
    for supplier, within, count, late in rows.annotate(Sum("texts"), Sum("late_seconds")).order_by():
        texts[supplier][within] = count
        seconds[supplier] += late
    for supplier, by_limit in sorted(texts.items()):
        family.add_metric([supplier], _buckets(by_limit), seconds[supplier])
    return family


def _buckets(by_limit: dict[int, int]) -> list[tuple[str, float]]:
    buckets, total = [], 0
    for limit in OutcomeHour.LATENESS_SECONDS:
        total += by_limit.get(limit, 0)
        buckets.append((f"{limit}.0", float(total)))
    return [*buckets, ("+Inf", float(total + by_limit.get(0, 0)))]


def _breakers() -> Metric:
    family = GaugeMetricFamily(
        "connector_sms_breaker_open", "1 while nothing is sent this way because calls keep failing.", labels=["way"]
    )
    for health in SupplierHealth.objects.order_by("key"):
        family.add_metric([health.key], float(health.is_open))
    return family

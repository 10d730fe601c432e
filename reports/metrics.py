"""What the installation has to say to Prometheus, read from the database at the moment it is asked.

Queues, circuits and processes of all organizations together: no organization and no patient is in a label.
"""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.models import Heartbeat
from reports.services import operations
from writeback.models import Circuit

_PREFIX = "connector"


class OperationsCollector(Collector):
    """Gauges that are rows."""

    def collect(self) -> Iterator[Metric]:
        """Read the database."""
        now = timezone.now()
        due = GaugeMetricFamily(f"{_PREFIX}_queue_due", "Rows that are due now.", labels=["queue"])
        lag = GaugeMetricFamily(
            f"{_PREFIX}_queue_lag_seconds", "For how long the oldest row has been due.", labels=["queue"]
        )
        stopped = GaugeMetricFamily(f"{_PREFIX}_queue_stopped", "Rows that need a person.", labels=["queue"])
        for queue in operations.queues(None, now=now):
            label = [queue.name.lower().replace(" ", "_")]
            due.add_metric(label, queue.due)
            lag.add_metric(label, queue.lag(now=now).total_seconds())
            stopped.add_metric(label, queue.stopped)
        yield from (due, lag, stopped)
        yield GaugeMetricFamily(
            f"{_PREFIX}_epic_circuits_open",
            "FHIR endpoints whose Epic does not take what it is told.",
            value=Circuit.objects.filter(retry_at__isnull=False).count(),
        )
        seen = GaugeMetricFamily(
            f"{_PREFIX}_process_silent_seconds", "Since when a process was not heard of.", labels=["process"]
        )
        for name, at in Heartbeat.objects.values_list("name", "at"):
            seen.add_metric([name], max((now - at).total_seconds(), 0))
        yield seen

"""A worker that tells Epic what is due until it is killed, as the sweep does, with times cut short."""

import time
from datetime import timedelta
from typing import NoReturn

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("test"))

from django.db import connection  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from config_portal.models import FhirEndpoint  # noqa: E402
from tests.forking import fork_for_each_line  # noqa: E402
from writeback.services import courier, outbox  # noqa: E402


def work() -> NoReturn:
    """Deliver and take up what was left, again and again."""
    courier.LEASE = timedelta(seconds=3)
    while True:
        try:
            outbox.recover_abandoned(now=timezone.now())
            for endpoint in FhirEndpoint.objects.all():
                courier.deliver(endpoint, clock=timezone.now)
        except Exception:  # noqa: BLE001 - as Celery does: a run that failed is over, the next has a new connection
            connection.close()
        time.sleep(0.05)


if __name__ == "__main__":
    fork_for_each_line(work)

"""Workers to be killed: each does what the beat schedule does, with times cut short: send, take up, ask."""

import time
from datetime import timedelta
from typing import NoReturn

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("test"))

from django.db import connection  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from core import http, http_async  # noqa: E402
from sms.services import health, outcomes, sending, settling  # noqa: E402
from tests.forking import fork_for_each_line  # noqa: E402

READ_SECONDS, WHOLE_SECONDS = 2.0, 4.0


def work() -> NoReturn:
    """Tick until the process is killed."""
    sending.LEASE = timedelta(seconds=10)
    outcomes.SETTLE_AFTER = timedelta(seconds=4)
    settling.ASK_AGAIN = timedelta(seconds=4)
    health.FIRST_PAUSE, health.LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=3)
    http.READ_SECONDS = http_async.READ_SECONDS = READ_SECONDS
    http.WHOLE_SECONDS = http_async.WHOLE_SECONDS = WHOLE_SECONDS
    while True:
        try:
            sending.deliver_due(now=timezone.now(), seconds=2)
            settling.recover_abandoned(now=timezone.now())
            settling.settle_unknown(now=timezone.now())
        except Exception:  # noqa: BLE001 - as Celery does: a tick that failed is over, the next one has a new connection
            connection.close()
        time.sleep(0.05)


if __name__ == "__main__":
    fork_for_each_line(work)

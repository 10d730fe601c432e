"""A worker of the connector without Celery around it: sends from a given moment until nothing is due.

``python -m benchmarks._sms.sender START`` (seconds since 1970); prints what it did as JSON.
"""

import json
import resource
import sys
import time

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

from django.utils import timezone  # noqa: E402 - after setup

from sms.services import sending  # noqa: E402


def main(start: float) -> None:
    """Wait for ``start``, send, and say how it went."""
    time.sleep(max(start - time.time(), 0))
    began, count = time.monotonic(), 0
    while claimed := sending.deliver_due(now=timezone.now()):
        count += claimed
    usage = resource.getrusage(resource.RUSAGE_SELF)
    report = {
        "texts": count,
        "seconds": time.monotonic() - began,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss * 1024,
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))

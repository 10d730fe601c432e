"""What the beat schedule does after a worker died: send, take up what was left, ask, until all texts are sent.

``python -m benchmarks._sms.recoverer TEXTS``.
"""

import sys
import time

import django

from core import scope

django.setup()
scope.use_for_process(scope.of_platform("benchmark"))

from django.utils import timezone  # noqa: E402 - after setup

from benchmarks._sms import data  # noqa: E402
from sms.models import SmsMessage  # noqa: E402
from sms.services import sending, settling  # noqa: E402

TICK_SECONDS = 5.0


def main(texts: int) -> None:
    """Tick until ``texts`` are accepted."""
    accepted = SmsMessage.objects.filter(offset_minutes=data.DUE_OFFSET, state=SmsMessage.State.ACCEPTED)
    while accepted.count() < texts:
        while sending.deliver_due(now=timezone.now()):
            pass
        settling.recover_abandoned(now=timezone.now())
        while settling.settle_unknown(now=timezone.now()):
            pass
        time.sleep(TICK_SECONDS)  # as beat does


if __name__ == "__main__":
    main(int(sys.argv[1]))

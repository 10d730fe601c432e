"""Keep each number within what it may send in a minute, over all workers together.

Carriers drop what a toll-free number sends too fast, so texts wait here rather than being refused there.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

from sms.models import NumberPace, PhoneNumber

# A number may be this far ahead of its pace: as much as it sends between two ticks.
AHEAD = timedelta(seconds=5)


def turns(
    number: PhoneNumber, segments: Sequence[int], *, per_minute: int, now: datetime
) -> tuple[int, list[datetime]]:
    """Let as many of the next texts go as the number's pace allows.

    :param segments: how many segments each of the waiting texts has, in the order they should go.
    :param per_minute: segments the number may send in a minute.
    :returns: how many may go now, and for each of the others when to try again.
    """
    step = timedelta(minutes=1) / per_minute
    with transaction.atomic():
        NumberPace.objects.get_or_create(number=number, defaults={"free_at": now - AHEAD, "queued_until": now})
        pace = NumberPace.objects.select_for_update().get(number=number)
        free_at, may_go = max(pace.free_at, now - AHEAD), 0
        for size in segments:
            if free_at > now:
                break
            free_at += step * size
            may_go += 1
        later, queue_end = [], max(pace.queued_until, free_at)
        for size in segments[may_go:]:
            queue_end += step * size
            later.append(queue_end)
        pace.free_at, pace.queued_until = free_at, queue_end
        pace.save()
    return may_go, later

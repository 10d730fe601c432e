"""What the figures of one visit are held against, and how its device test went."""

from datetime import datetime, time, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from launch.models import DeviceTest
from reports.models import VisitFact
from visits.models import Visit


def median_lobby_wait(visit: Visit) -> timedelta | None:
    """Return the median lobby wait of the organization's visits on the day of ``visit``, None without any."""
    if visit.starts_at is None:
        return None
    zone = ZoneInfo(visit.organization.time_zone)
    begins = datetime.combine(visit.starts_at.astimezone(zone).date(), time(), zone)
    of_the_day = VisitFact.objects.for_organization(visit.organization).starting_between(
        begins, begins + timedelta(days=1)
    )
    waits = of_the_day.exclude(lobby_wait=None).values_list("lobby_wait", flat=True)
    seconds = [wait for wait in waits if wait is not None]
    return timedelta(seconds=median(seconds)) if seconds else None


def last_device_test(visit: Visit) -> DeviceTest | None:
    """Return the newest device test of ``visit``."""
    return DeviceTest.objects.filter(visit=visit).order_by("-created_at").first()

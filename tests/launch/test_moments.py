from datetime import UTC, datetime

import pytest
from django.utils import translation

from launch.moments import spoken

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 9:00 in Chicago


@pytest.mark.parametrize(
    ("moment", "zone", "english", "spanish"),
    [
        (
            datetime(2026, 11, 24, 20, 0, tzinfo=UTC),
            "America/Chicago",
            "today at 2:00 PM Central Time",
            "hoy a las 2:00 p.m., hora del Centro",
        ),
        (
            datetime(2026, 11, 24, 19, 5, tzinfo=UTC),
            "America/Chicago",
            "today at 1:05 PM Central Time",
            "hoy a la 1:05 p.m., hora del Centro",
        ),
        (
            datetime(2026, 11, 30, 15, 30, tzinfo=UTC),
            "America/New_York",
            "on Monday, November 30 at 10:30 AM Eastern Time",
            "el lunes 30 de noviembre a las 10:30 a.m., hora del Este",
        ),
        (
            datetime(2026, 11, 30, 18, 30, tzinfo=UTC),
            "America/New_York",
            "on Monday, November 30 at 1:30 PM Eastern Time",
            "el lunes 30 de noviembre a la 1:30 p.m., hora del Este",
        ),
        (
            datetime(2026, 11, 24, 23, 0, tzinfo=UTC),
            "America/Argentina/Buenos_Aires",
            "today at 8:00 PM Buenos Aires time",
            "hoy a las 8:00 p.m., hora de Buenos Aires",
        ),
    ],
)
def test_a_time_is_said_as_people_say_it(moment, zone, english, spanish):
    assert spoken(moment, time_zone=zone, now=NOW) == english
    with translation.override("es"):
        assert spoken(moment, time_zone=zone, now=NOW) == spanish


def test_today_is_decided_in_the_visits_zone():
    late = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)  # still the 24th in Chicago, the 25th in UTC
    assert spoken(late, time_zone="America/Chicago", now=NOW).startswith("today at 10:00 PM")

"""Device tests: whether one is due, what an earlier one found out, and how a new one is stored."""

from datetime import datetime, timedelta

import redis
from django.db import transaction

from core.crypto import index
from core.errors import LaunchRefused, UpstreamUnavailable
from launch.models import DeviceTest, LaunchAttempt
from launch.services import counting, waiting
from launch.signals import device_tested
from meetings.services.live import announce

REMEMBERED_FOR = timedelta(days=14)
MOST_TESTS = 30  # of one attempt
MOST_TRANSFERS_IN_A_MINUTE = 40  # a whole test makes 10


def is_due(attempt: LaunchAttempt, *, user_agent: str, now: datetime) -> bool:
    """Return whether the person should test their device before the visit.

    Not while the care team is waiting for them, and not when everything worked lately in this very browser.
    """
    if waiting.situation_of(attempt).has_provider:
        return False
    earlier = newest_of(attempt, now=now)
    return earlier is None or not earlier.is_passed or family_of(user_agent) != (earlier.browser, earlier.platform)


def newest_of(attempt: LaunchAttempt, *, now: datetime) -> DeviceTest | None:
    """Return the last test of the person behind ``attempt`` that is young enough to count."""
    tests = DeviceTest.objects.filter(
        organization_id=attempt.organization_id,
        person_index=person_index(attempt),
        created_at__gt=now - REMEMBERED_FOR,
    )
    return tests.order_by("-created_at").first()


def record(
    attempt: LaunchAttempt,
    *,
    results: dict[str, str],
    measures: dict[str, float],
    user_agent: str,
    now: datetime,
) -> DeviceTest:
    """Store a test of the person behind ``attempt`` and tell whoever wants to know.

    :raises LaunchRefused: ``device_test.too_many`` when one attempt sends more than people do.
    """
    assert attempt.visit is not None  # noqa: S101 - guarded by visit_page
    browser, platform = family_of(user_agent)
    with transaction.atomic():
        LaunchAttempt.objects.select_for_update().get(pk=attempt.pk)  # so that many at once are counted
        if attempt.device_tests.count() >= MOST_TESTS:
            raise LaunchRefused("device_test.too_many", "This device was tested many times.")
        test = DeviceTest.objects.create(
            organization_id=attempt.organization_id,
            visit=attempt.visit,
            attempt=attempt,
            person_index=person_index(attempt),
            measures=measures,
            browser=browser,
            platform=platform,
            created_at=now,
            **results,
        )
        announce(attempt.visit.pk)  # the provider's page shows the test
        device_tested.send(DeviceTest, test=test, now=now)
    return test


def allow_transfer(attempt: LaunchAttempt) -> None:
    """Count one transfer of the connection check.

    :raises LaunchRefused: ``device_test.too_many`` beyond what a patient's test needs.
    :raises UpstreamUnavailable: ``device_test.not_counted`` while Redis is away.
    """
    try:
        (made,) = counting.count(f"device:transfers {attempt.pk}")
    except redis.RedisError as error:
        raise UpstreamUnavailable("device_test.not_counted", detail=type(error).__name__) from error
    if made > MOST_TRANSFERS_IN_A_MINUTE:
        raise LaunchRefused("device_test.too_many", "This device was tested many times.")


def person_index(attempt: LaunchAttempt) -> str:
    """Return an HMAC of who came: the patient whom a text went to, or the EHR user of this FHIR endpoint."""
    who = attempt.contact.person_index if attempt.contact else attempt.ehr_user_id
    return index(f"{attempt.endpoint_id}:{who or attempt.pk}", purpose="device_test.person")


def forget(*, now: datetime) -> int:
    """Erase by whom old tests were made, and return how many."""
    old = DeviceTest.objects.filter(created_at__lt=now - REMEMBERED_FOR).exclude(person_index="")
    return old.update(person_index="")


def family_of(user_agent: str) -> tuple[str, str]:
    """Return the kind of browser (``app`` is one inside another app) and the platform, or ``other``."""
    return _first(user_agent, _BROWSERS), _first(user_agent, _PLATFORMS)


def _first(user_agent: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in user_agent), "other")


# In this order: most browsers also claim to be those below them.
_BROWSERS = (
    ("FBAN", "app"), ("FBAV", "app"), ("Instagram", "app"), ("; wv)", "app"), ("GSA/", "app"),
    ("Edg", "edge"), ("SamsungBrowser", "samsung"), ("Firefox", "firefox"), ("FxiOS", "firefox"),
    ("CriOS", "chrome"), ("Chrome", "chrome"), ("Safari", "safari"),
)  # fmt: skip
_PLATFORMS = (
    ("Android", "android"), ("iPhone", "ios"), ("iPad", "ios"), ("CrOS", "chromeos"), ("Windows", "windows"),
    ("Macintosh", "macos"), ("Linux", "linux"),
)  # fmt: skip

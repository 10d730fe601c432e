"""The one question after a visit."""

from datetime import datetime

from launch.models import LaunchAttempt, VisitRating


def rate(attempt: LaunchAttempt, *, is_good: bool, now: datetime) -> VisitRating:
    """Store whether picture and sound worked; a second answer replaces the first."""
    assert attempt.visit is not None  # noqa: S101 - guarded by visit_page
    rating, _ = VisitRating.objects.update_or_create(
        attempt=attempt,
        defaults={"is_good": is_good},
        create_defaults={
            "organization_id": attempt.organization_id,
            "visit": attempt.visit,
            "is_good": is_good,
            "created_at": now,
        },
    )
    return rating


def is_rated(attempt: LaunchAttempt) -> bool:
    """Return whether the person has answered."""
    return VisitRating.objects.filter(attempt=attempt).exists()

"""Sums of a day, so that three months cost as little as a week."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet


class Calendar(models.TextChoices):
    """Whose midnight a day begins at."""

    LOCAL = "local", "Time zone of the organization"
    UTC = "utc", "UTC"


class Level(models.IntegerChoices):
    """By what a row is told apart, besides day, endpoint and status; what it is not told apart by is empty."""

    TOTAL = 0, "Nothing else"
    DEPARTMENT = 1, "Department"
    VISIT_TYPE = 2, "Visit type"
    BOTH = 3, "Department and visit type"


class RolledOrganization(models.Model):
    """In which time zone an organization's local days were summed; another one means all over again."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="+")
    time_zone = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"days in {self.time_zone}"


class _Day(models.Model):
    """What every sum of a day is told apart by."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    calendar = models.CharField(max_length=5, choices=Calendar)
    level = models.PositiveSmallIntegerField(choices=Level)
    day = models.DateField()
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="+", db_index=False)
    department = models.CharField(max_length=60, blank=True)
    visit_type = models.CharField(max_length=60, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} ({self.calendar})"


class VisitDay(_Day):
    """How the visits of a day went; lengths in seconds.

    Of three lengths a sketch is kept, from which medians follow to within one in a hundred: how many values
    (``…_counts``) lie in which bucket (``…_buckets``, see :mod:`reports.sketches`).
    """

    status = models.CharField(max_length=20)
    visits = models.PositiveIntegerField()
    duration_sum = models.PositiveBigIntegerField()
    lobby_waits = models.PositiveIntegerField(help_text="Visits with a lobby wait")
    lobby_wait_sum = models.PositiveBigIntegerField()
    own_waits = models.PositiveIntegerField(help_text="People with a lobby wait of their own")
    own_wait_sum = models.PositiveBigIntegerField()
    gave_up = models.PositiveIntegerField()
    peak_sum = models.PositiveBigIntegerField()
    total_sum = models.PositiveBigIntegerField()
    texts_sent = models.PositiveIntegerField()
    texts_delivered = models.PositiveIntegerField()
    duration_buckets = ArrayField(models.PositiveSmallIntegerField())
    duration_counts = ArrayField(models.PositiveIntegerField())
    lobby_wait_buckets = ArrayField(models.PositiveSmallIntegerField())
    lobby_wait_counts = ArrayField(models.PositiveIntegerField())
    own_wait_buckets = ArrayField(models.PositiveSmallIntegerField())
    own_wait_counts = ArrayField(models.PositiveIntegerField())

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "calendar", "level", "day", "endpoint", "department", "visit_type", "status"],
                name="visit_day_once",
            )
        ]


class TextDay(_Day):
    """What became of the texts that were due on a day; only the levels TOTAL and BOTH exist."""

    kind = models.CharField(max_length=10)
    supplier = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=16)
    status = models.CharField(max_length=24, blank=True)
    texts = models.PositiveIntegerField()
    segments = models.PositiveIntegerField()
    attempts = models.PositiveIntegerField()

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization", "calendar", "level", "day", "endpoint", "department", "visit_type", "kind",
                    "supplier", "state", "status",
                ],
                name="text_day_once",
            )
        ]  # fmt: skip

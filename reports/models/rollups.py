"""Sums of a day, so that three months cost as little as a week."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from reports.models.quality import CallRecord
from visits.models import Visit


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


class CallDay(_Day):
    """How the calls of a day were.

    Calls are told apart by which verdicts their streams have (``has_…``). ``good``, ``poor`` and ``unclassified`` count
    streams. The lists say the same by what a stream came from: in the aspect ``platform``, ``product``, ``network``
    or ``kind`` and by its name there, so many streams were good, poor or unclassified (``…_counts``). In the aspect
    ``due_to`` poor streams are counted by reason. In ``test.`` with the name of a check *calls* are counted, by how
    the last device test of their visit ended in it: as poor when the patient then had a poor stream, else as good.
    """

    has_good = models.BooleanField()
    has_poor = models.BooleanField()
    has_unclassified = models.BooleanField()
    calls = models.PositiveIntegerField()
    good = models.PositiveIntegerField()
    poor = models.PositiveIntegerField()
    unclassified = models.PositiveIntegerField()
    aspects = ArrayField(models.CharField(max_length=16))
    names = ArrayField(models.CharField(max_length=40))
    good_counts = ArrayField(models.PositiveIntegerField())
    poor_counts = ArrayField(models.PositiveIntegerField())
    unclassified_counts = ArrayField(models.PositiveIntegerField())

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "organization", "calendar", "level", "day", "endpoint", "department", "visit_type", "has_good",
                    "has_poor", "has_unclassified",
                ],
                name="call_day_once",
            )
        ]  # fmt: skip


class RepeatedCall(models.Model):
    """A call of a visit that had several.

    Sums of days count calls; what is told are visits. Those with one call are the same, and these are what it takes to
    count the others once, whatever days and calls are asked for.

    :ivar results: how the visit's last device test ended, in the order of ``DeviceTest.CHECKS``; empty without one.
    :ivar had_trouble: whether in any call of the visit somebody from outside had a poor stream.
    """

    record = models.OneToOneField(CallRecord, on_delete=models.CASCADE, primary_key=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="+", db_index=False)
    department = models.CharField(max_length=60, blank=True)
    visit_type = models.CharField(max_length=60, blank=True)
    has_good = models.BooleanField()
    has_poor = models.BooleanField()
    has_unclassified = models.BooleanField()
    results = ArrayField(models.CharField(max_length=8))
    had_trouble = models.BooleanField()

    objects = OrganizationScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organization", "started_at"], name="repeated_call_by_start")]

    def __str__(self) -> str:
        return f"call of {self.started_at:%Y-%m-%d %H:%M}, one of several"

"""What the reports know of each visit, and which visits have to be looked at again."""

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import FhirEndpoint, Organization, OrganizationScopedQuerySet
from reports.definitions import COUNTED, MicrosoftStatus, Status
from visits.models import Visit


class Change(models.Model):
    """Something that may alter a figure; triggers write these rows, :mod:`reports.services.refreshing` uses them up.

    A trigger sees every way in which a row changes, and adds a row of its own instead of marking a shared one,
    so that nobody who sends a text or records an arrival waits for anybody else.
    """

    class Kind(models.TextChoices):
        """What ``key`` names."""

        VISIT = "v", "A visit"
        PARTICIPANT = "p", "A participant of a visit"
        TEXT = "t", "The visit of a text that was due at ``at``"
        CALLS = "c", "A visit with calls"
        CALL_TIME = "o", "An organization with a call at ``at`` that is there no more"

    kind = models.CharField(max_length=1, choices=Kind)
    key = models.UUIDField()
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"


class Freshness(models.Model):
    """Up to when everything that happened is in the figures. One row."""

    name = models.CharField(primary_key=True, max_length=10, default="reports")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} as of {self.at:%H:%M:%S}"


class VisitFactQuerySet(OrganizationScopedQuerySet["VisitFact"]):
    """Ways to reach facts."""

    def starting_between(self, since: datetime, until: datetime) -> Self:
        """Keep visits that started in ``[since, until)``."""
        return self.filter(starts_at__gte=since, starts_at__lt=until)

    def counted(self) -> Self:
        """Keep visits that took place or should have."""
        return self.filter(status__in=COUNTED)


class VisitFact(models.Model):
    """The figures of one visit, as :mod:`reports.definitions` has them; lengths in seconds.

    ``starts_at`` is Microsoft's start, or the planned one where nobody came. ``provider_index`` finds the visits
    of one EHR user, ``join_index`` the visit of a Teams address. ``review_at`` is when time alone may change the
    status. ``may_differ`` is whether Epic was, as of the last news, not told exactly what happened in the meeting,
    which has ended.
    """

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="fact")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="+")
    is_production = models.BooleanField()
    starts_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=[(status.value, status.value) for status in Status])
    microsoft_status = models.CharField(
        max_length=10, blank=True, choices=[(status.value, status.value) for status in MicrosoftStatus if status]
    )
    duration = models.PositiveIntegerField(default=0)
    lobby_wait = models.PositiveIntegerField(null=True)
    waits = ArrayField(models.PositiveIntegerField(), default=list)
    gave_up = models.PositiveSmallIntegerField(default=0)
    peak = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    department = models.CharField(max_length=60, blank=True)
    visit_type = models.CharField(max_length=60, blank=True)
    provider_index = models.CharField(max_length=64, blank=True)
    join_index = models.CharField(max_length=64, blank=True)
    texts_sent = models.PositiveSmallIntegerField(default=0)
    texts_delivered = models.PositiveSmallIntegerField(default=0)
    review_at = models.DateTimeField(null=True)
    may_differ = models.BooleanField(default=False)

    objects = VisitFactQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "starts_at"], name="fact_by_start"),
            models.Index(fields=["organization", "provider_index", "starts_at"], name="fact_by_provider"),
            models.Index(fields=["join_index"], condition=~models.Q(join_index=""), name="fact_by_join_address"),
            models.Index(fields=["review_at"], condition=~models.Q(review_at=None), name="fact_to_review"),
            models.Index(fields=["organization"], condition=models.Q(may_differ=True), name="fact_that_may_differ"),
        ]

    def __str__(self) -> str:
        return f"{self.status} visit of {self.starts_at:%Y-%m-%d %H:%M}"

"""Rows that every app shares: audit trail, heartbeats and the shape of an outbox."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Self, TypeVar

from django.db import models
from django.db.models import Q

from core import scope

_IDS_AT_ONCE = 64


def new_id() -> uuid.UUID:
    """Return a random row id. Random, because ids appear in addresses that people see."""
    return uuid.uuid4()


def new_ids() -> Iterator[str]:
    """Give out row ids like :func:`new_id`, as text and without end; the system is asked for many at once."""
    while True:
        digits = os.urandom(16 * _IDS_AT_ONCE).hex()
        for start in range(0, len(digits), 32):
            one = digits[start : start + 32]
            # Version and variant of a random UUID (RFC 9562, section 5.4).
            yield f"{one[:8]}-{one[8:12]}-4{one[13:16]}-a{one[17:20]}-{one[20:]}"


AnyRow = TypeVar("AnyRow", bound=models.Model)


class ScopedManager(models.Manager[AnyRow]):
    """The manager of a table that row-level security guards: it refuses to answer code without a scope.

    Without it such code would silently see an empty table.
    """

    def get_queryset(self) -> models.QuerySet[AnyRow]:
        """Return every row of the current scope.

        :raises core.scope.ScopeMissing: nobody said whose rows are wanted.
        """
        scope.require()
        return super().get_queryset()


class AuditChain(models.Model):
    """The head of one organization's audit chain; locked while an event is appended."""

    organization_id = models.UUIDField(primary_key=True)
    sequence = models.PositiveBigIntegerField(default=0)
    head = models.BinaryField(max_length=32, default=bytes)

    objects = ScopedManager["AuditChain"]()

    def __str__(self) -> str:
        return f"audit chain of {self.organization_id} at {self.sequence}"


class AuditEvent(models.Model):
    """Something somebody did, never changed and never deleted (a database trigger refuses both)."""

    organization_id = models.UUIDField()
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=60, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    reference = models.CharField(max_length=16, blank=True)
    data = models.JSONField(default=dict)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)

    objects = ScopedManager["AuditEvent"]()

    class Meta:
        ordering = ["organization_id", "sequence"]
        constraints = [models.UniqueConstraint(fields=["organization_id", "sequence"], name="audit_event_sequence")]
        indexes = [
            models.Index(fields=["reference"], condition=~Q(reference=""), name="audit_event_reference"),
            models.Index(fields=["subject_type", "subject_id"], name="audit_event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.sequence}"


class AuditVerification(models.Model):
    """When an organization's audit chain was last verified, and what was found; of each only the last."""

    organization_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    checked = models.PositiveBigIntegerField()
    broken_at = models.PositiveBigIntegerField(null=True, blank=True)

    objects = ScopedManager["AuditVerification"]()

    def __str__(self) -> str:
        return f"audit chain of {self.organization_id} verified at {self.at:%Y-%m-%d %H:%M}"


class Heartbeat(models.Model):
    """When a process of ours was last seen alive; read by ``/readyz``."""

    name = models.CharField(primary_key=True, max_length=60)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"


Row = TypeVar("Row", bound="OutboxRow")


class OutboxQuerySet(models.QuerySet[Row]):
    """What every outbox can be asked."""

    def due_before(self, now: datetime) -> Self:
        """Keep pending rows whose time has come."""
        return self.filter(state=OutboxRow.PENDING, due_at__lte=now)

    def abandoned_before(self, now: datetime) -> Self:
        """Keep rows whose worker claimed them and did not come back before the lease ended."""
        return self.filter(state=OutboxRow.SENDING, lease_until__lte=now)


class OutboxRow(models.Model):
    """A call to another system that must happen once: pending → sending → a final state.

    A worker claims rows with :func:`core.outbox.claim`, which commits ``sending`` with an attempt id
    *before* the call, so that a crash is visible and nothing is sent twice.
    Subclasses add their own states to ``pending`` and ``sending``.
    """

    PENDING = "pending"
    SENDING = "sending"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(max_length=16, default=PENDING)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    attempt_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def is_claimed(self, *, now: datetime) -> bool:
        """Whether a worker is about it, and its lease has not ended."""
        return self.state == self.SENDING and self.lease_until is not None and self.lease_until > now


def backoff(
    attempts: int, *, first: timedelta = timedelta(seconds=5), most: timedelta = timedelta(minutes=10)
) -> timedelta:
    """Return how long to wait after ``attempts`` failed ones: doubling from ``first`` up to ``most``."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(first * doublings, most)

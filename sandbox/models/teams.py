"""Meetings, who is in them, and who subscribed to hear about it."""

import uuid

from django.db import models
from django.utils import timezone


class Meeting(models.Model):
    """An online meeting of one organizer; ``options`` holds what a PATCH may set, as Graph spells it."""

    graph_id = models.CharField(max_length=200, unique=True)
    thread_id = models.CharField(max_length=120, unique=True)
    tenant_id = models.CharField(max_length=36)
    organizer_oid = models.CharField(max_length=36)
    external_id = models.CharField(max_length=256, null=True)  # noqa: DJ001 - NULLs do not collide, '' would
    subject = models.CharField(max_length=500, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    options = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["organizer_oid", "external_id"], name="sandbox_meeting_external_id"),
        ]

    def __str__(self) -> str:
        return self.subject or self.thread_id


class Call(models.Model):
    """One session of a meeting: from the first person in to the last person out. Also its attendance report."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="calls")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return str(self.id)


class Attendant(models.Model):
    """One person's single stay at a meeting: lobby, call, gone. Coming back is a new row."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer"
        TENANT = "tenant"
        EXTERNAL = "external"

    class State(models.TextChoices):
        LOBBY = "lobby"
        IN_CALL = "in_call"
        LEFT = "left"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendants")
    call = models.ForeignKey(Call, on_delete=models.SET_NULL, null=True, related_name="attendants")
    role = models.CharField(max_length=10, choices=Role.choices)
    oid = models.CharField(max_length=36, blank=True)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices)
    arrived_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["arrived_at", "id"]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """An app's wish to hear about one meeting, or without one about the tenant's call records.

    ``certificate`` is the base64 DER that contents of a meeting are encrypted for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, related_name="subscriptions")
    app_id = models.CharField(max_length=36)
    tenant_id = models.CharField(max_length=36)
    resource = models.TextField()
    notification_url = models.TextField()
    lifecycle_url = models.TextField(blank=True)
    client_state = models.CharField(max_length=128, blank=True)
    certificate = models.TextField(blank=True)
    certificate_id = models.CharField(max_length=128, blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["app_id", "meeting"], name="sandbox_one_subscription_per_app"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_live(self) -> bool:
        """Tell whether notifications still go out."""
        return self.expires_at > timezone.now()

    @property
    def subject(self) -> str:
        """What it is about, as the ledger names it."""
        return self.meeting.graph_id if self.meeting else self.tenant_id

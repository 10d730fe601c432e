"""How Graph tells us about meetings and calls: the subscriptions, and what it sent."""

import secrets
from datetime import datetime

from django.db import models
from django.db.models import Q

from config_portal.models import SigningKey, TeamsTenant
from core.crypto import EncryptedTextField
from core.models import OutboxQuerySet, OutboxRow
from meetings.models.meeting import Meeting


def new_client_state() -> str:
    """Return the secret that every notification of a subscription must carry."""
    return secrets.token_urlsafe(32)


class GraphSubscription(OutboxRow):
    """The standing work of keeping one subscription: create, renew, finally delete.

    The row is ``pending`` between two actions, ``due_at`` being the time of the next, and ``ended`` for good
    once nothing more is to be heard.
    """

    ENDED = "ended"

    graph_id = models.CharField(max_length=64, blank=True)
    client_state = EncryptedTextField(default=new_client_state)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def is_live(self, *, now: datetime) -> bool:
        """Whether Graph tells us something."""
        return bool(self.graph_id) and self.expires_at is not None and self.expires_at > now


class Subscription(GraphSubscription):
    """Hears who comes and goes in one meeting (Graph allows one), as long as its visit may take place.

    ``key`` is the key that Graph encrypts with at present.
    """

    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="subscription")
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["graph_id"], condition=~Q(graph_id=""), name="subscription_graph_id")
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="subscription_due")]

    def __str__(self) -> str:
        return f"subscription to {self.meeting_id}"


class RecordSubscription(GraphSubscription):
    """Hears that a call of the tenant has a record, or a new version of one; Graph names only its id.

    There is one for each tenant and application, also where several organizations share them.
    ``client_id`` is the application it was made with, and ``notification_url`` where its news go.
    """

    tenant = models.OneToOneField(TeamsTenant, on_delete=models.CASCADE, related_name="record_subscription")
    client_id = models.UUIDField(null=True, blank=True)
    notification_url = models.CharField(max_length=500, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["graph_id"], condition=~Q(graph_id=""), name="record_subscription_graph_id")
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="record_subscription_due")]

    def __str__(self) -> str:
        return f"subscription to the call records of {self.tenant_id}"


class InboundNotification(OutboxRow):
    """A body that was posted to one of our Graph addresses; ``pending`` means stored and not yet looked at.

    ``raw`` is wiped with the result. The digest stays for a week: Graph repeats itself for up to four hours.
    """

    PROCESSED = "processed"
    IGNORED = "ignored"
    FAILED = "failed"

    class Channel(models.TextChoices):
        """Which address it came to."""

        NOTIFICATIONS = "notifications", "Notifications"
        LIFECYCLE = "lifecycle", "Lifecycle"

    channel = models.CharField(max_length=14, choices=Channel, default=Channel.NOTIFICATIONS)
    sha256 = models.CharField(max_length=64, unique=True)
    raw = EncryptedTextField(null=True, blank=True)
    received_at = models.DateTimeField()

    objects = OutboxQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(state="pending"), name="notification_due")]

    def __str__(self) -> str:
        return f"notification {self.sha256[:8]}"

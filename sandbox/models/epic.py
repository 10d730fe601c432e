"""Epic's schedule, and the messages that tell of it."""

from django.db import models


class Appointment(models.Model):
    """A video visit in Epic's schedule: of one patient, who in a group visit shares the conference with others."""

    class State(models.TextChoices):
        """Where it stands."""

        SCHEDULED = "scheduled", "Scheduled"
        CANCELLED = "cancelled", "Cancelled"
        NO_SHOW = "no_show", "No show"

    csn = models.CharField(primary_key=True, max_length=20)
    environment = models.CharField(max_length=10)
    conference_id = models.CharField(max_length=20, db_index=True)
    is_group = models.BooleanField(default=False)
    patient = models.CharField(max_length=20)
    provider = models.CharField(max_length=20)
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=30)
    state = models.CharField(max_length=10, choices=State, default=State.SCHEDULED)
    connections = models.JSONField(default=dict, help_text="What the connector said last: who → status")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["starts_at"]

    def __str__(self) -> str:
        return self.csn


class OutgoingMessage(models.Model):
    """An HL7 message, sent again with the same control id until somebody acknowledges it."""

    control_id = models.CharField(primary_key=True, max_length=20)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="messages")
    trigger = models.CharField(max_length=3)
    body = models.TextField()
    ack_code = models.CharField(max_length=2, blank=True)
    ack_text = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.trigger} {self.control_id}"

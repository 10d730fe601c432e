"""Telephone numbers, texts and opt-outs of the two SMS suppliers."""

import uuid

from django.db import models


class Supplier(models.TextChoices):
    """Whose network a number or text belongs to; also the ledger's system."""

    ACS = "acs", "ACS"
    TWILIO = "twilio", "Twilio"


class SenderNumber(models.Model):
    """A number the customer holds, or held until ``released_at``."""

    supplier = models.CharField(max_length=6, choices=Supplier.choices)
    e164 = models.CharField(max_length=16)
    sid = models.CharField(max_length=34, unique=True)
    kind = models.CharField(max_length=10, default="tollFree")
    friendly_name = models.CharField(max_length=64, blank=True)
    sms_url = models.TextField(blank=True)
    status_callback = models.TextField(blank=True)
    verification = models.CharField(max_length=20, blank=True, help_text="Twilio's word for it; empty: none was asked")
    rejection_reason = models.CharField(max_length=200, blank=True)
    purchased_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["e164"], condition=models.Q(released_at__isnull=True), name="sandbox_number_held_once"
            ),
        ]

    def __str__(self) -> str:
        return self.e164


class NumberOperation(models.Model):
    """A long-running operation of the ACS numbers API: search, purchase or release."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    resource_id = models.UUIDField(default=uuid.uuid4, db_index=True)
    details = models.JSONField(default=dict)
    is_applied = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.kind}_{self.id}"


class Text(models.Model):
    """One SMS, to or from a phone of the twin."""

    supplier = models.CharField(max_length=6, choices=Supplier.choices)
    message_id = models.CharField(max_length=80, unique=True)
    is_inbound = models.BooleanField(default=False)
    phone = models.CharField(max_length=16, db_index=True)
    number = models.CharField(max_length=16)
    body = models.TextField()
    status = models.CharField(max_length=16)
    error = models.CharField(max_length=200, blank=True)
    repeatability_id = models.CharField(max_length=36, null=True)  # noqa: DJ001 - NULLs do not collide, '' would
    tag = models.TextField(blank=True)
    wants_report = models.BooleanField(default=False)
    status_callback = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["phone", "repeatability_id"], name="sandbox_text_repeatability"),
        ]

    def __str__(self) -> str:
        return self.message_id


class NetworkOptOut(models.Model):
    """A phone that told a number STOP; the network keeps it, not the customer."""

    supplier = models.CharField(max_length=6, choices=Supplier.choices)
    number = models.CharField(max_length=16)
    phone = models.CharField(max_length=16)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "number", "phone"], name="sandbox_opt_out_once"),
        ]

    def __str__(self) -> str:
        return f"{self.phone} to {self.number}"

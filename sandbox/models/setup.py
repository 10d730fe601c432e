"""What the hospital's administrators typed in, the faults that are switched on, and the twin's own keys."""

from django.db import models
from django.utils import timezone


class Setup(models.Model):
    """One row: the body of ``PUT /control/setup``."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return "setup"


class Fault(models.Model):
    """A fault that is switched on."""

    name = models.CharField(primary_key=True, max_length=60)
    value = models.CharField(max_length=60)
    since = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


class TwinKey(models.Model):
    """A private key of the twin, kept so that what it signed stays valid after a restart."""

    name = models.CharField(primary_key=True, max_length=20)
    key_id = models.CharField(max_length=40)
    pem = models.TextField()

    def __str__(self) -> str:
        return self.name


class Once(models.Model):
    """Something that may be used once: a launch token, an authorization code, an assertion's id."""

    kind = models.CharField(max_length=20)
    digest = models.CharField(max_length=64)
    data = models.JSONField(default=dict)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "digest"], name="once")]

    def __str__(self) -> str:
        return self.kind

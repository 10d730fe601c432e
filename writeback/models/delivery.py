"""How the way to one Epic is at present."""

from datetime import datetime

from django.db import models

from config_portal.models import FhirEndpoint


class Circuit(models.Model):
    """The circuit breaker of one FHIR endpoint, kept by whoever delivers to it (one at a time).

    Closed while ``retry_at`` is empty. After several failures in a row it opens: nothing is sent until
    ``retry_at``, then one call tries whether Epic is back.
    """

    endpoint = models.OneToOneField(FhirEndpoint, on_delete=models.CASCADE, primary_key=True, related_name="circuit")
    failures = models.PositiveSmallIntegerField(default=0, help_text="In a row")
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=80, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="When Epic last accepted something")

    def __str__(self) -> str:
        return f"{self.endpoint}: {'open' if self.is_open else 'closed'}"

    @property
    def is_open(self) -> bool:
        """Whether calls are held back, or one is about to try."""
        return self.retry_at is not None

    def lets_through(self, *, now: datetime) -> bool:
        """Whether a call may be made at ``now``."""
        return self.retry_at is None or self.retry_at <= now

"""What the twin really received and sent: the independent witness of tests and benchmarks."""

from django.db import models


class LedgerEntry(models.Model):
    """One thing that happened at one of the twins, in order of ``id``."""

    at = models.DateTimeField(auto_now_add=True)
    system = models.CharField(max_length=16)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=300, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["system", "kind", "id"])]

    def __str__(self) -> str:
        return f"{self.system}.{self.kind} {self.key}"

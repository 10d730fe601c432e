"""Files that are being made for somebody."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config_portal.models import Organization, OrganizationScopedQuerySet
from core.models import OutboxQuerySet, OutboxRow


class ExportQuerySet(OutboxQuerySet["Export"], OrganizationScopedQuerySet["Export"]):  # type: ignore[override]  # the plugin compares the as_manager of both bases
    """Ways to reach exports."""


class Export(OutboxRow):
    """A report as a file, made in the background and kept for a day.

    ``given`` is what was chosen, as an address has it, with the tab that a summary is of. ``names_visits`` says whether
    Epic's numbers and counts of a few may stand in it.
    """

    DONE, FAILED = "done", "failed"

    class Subject(models.TextChoices):
        """What its rows are."""

        VISITS = "visits", "Visits"
        TEXTS = "texts", "Texts"
        CALLS = "calls", "Calls"
        SUMMARY = "summary", "One-page summary"

    class Format(models.TextChoices):
        """What kind of file it is."""

        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"
        PDF = "pdf", "PDF"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    requested_by = models.CharField(max_length=200)
    subject = models.CharField(max_length=8, choices=Subject)
    format = models.CharField(max_length=4, choices=Format)
    given = models.JSONField(default=dict)
    columns = ArrayField(models.CharField(max_length=30), default=list)
    names_visits = models.BooleanField(default=False)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    purge_at = models.DateTimeField()

    objects = ExportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "requested_by", "created_at"], name="export_by_person"),
            models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="export_due"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return f"{self.subject}-{self.created_at:%Y%m%dT%H%M%SZ}.{self.format}"


class ExportPart(models.Model):
    """Some of the bytes of an export, in order."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_part_once")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.export_id}"

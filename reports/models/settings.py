"""What an organization chose for its reports."""

from django.core.validators import MaxValueValidator
from django.db import models

from config_portal.models import Organization


class ReportSettings(models.Model):
    """The choices of one organization; without a row the defaults hold.

    ``monthly_allocation`` is how many completed production visits a month its Microsoft licences cover.
    ``smallest_shown`` hides counts of 1 up to below itself, where so few people might be recognised.
    ``thresholds`` replaces some of :class:`reports.quality.Thresholds`, by name.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="report_settings"
    )
    monthly_allocation = models.PositiveIntegerField(
        null=True, blank=True, help_text="Completed production visits a month that the licences cover; empty: no limit"
    )
    smallest_shown = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(100)], help_text="Counts below this are hidden; 0 shows all"
    )

    thresholds = models.JSONField(
        default=dict,
        blank=True,
        help_text="Beyond which a stream is poor, where not as Microsoft publishes",
    )

    def __str__(self) -> str:
        return f"report settings of {self.organization}"

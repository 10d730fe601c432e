"""Runs of the pre-flight check, a row for each line, so that a run can be watched and looked at later."""

from django.db import models
from django.db.models import Q

from config_portal.models.endpoint import FhirEndpoint
from config_portal.models.organization import Organization, OrganizationScopedQuerySet
from core.crypto import EncryptedTextField
from core.models import new_id


class PreflightRun(models.Model):
    """One run of every check against the draft of one FHIR endpoint.

    ``digest`` identifies the draft that was checked; a later edit makes the run stale. ``inputs`` is JSON
    of what the person pasted (a test link, a phone number) and is wiped when the run ends.
    """

    class State(models.TextChoices):
        """Where the run is."""

        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="preflight_runs")
    endpoint = models.ForeignKey(FhirEndpoint, on_delete=models.CASCADE, related_name="preflight_runs")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    requested_by = models.CharField(max_length=200)
    inputs = EncryptedTextField(null=True, blank=True)
    digest = models.CharField(max_length=64)
    failed = models.PositiveSmallIntegerField(default=0)
    passed = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = OrganizationScopedQuerySet["PreflightRun"].as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["endpoint", "-created_at"], name="preflight_run_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=~Q(state="finished"), name="one_unfinished_preflight_run"
            )
        ]

    def __str__(self) -> str:
        return f"pre-flight check of {self.endpoint}"


class PreflightLine(models.Model):
    """One check of a run: what came out, and who mends it."""

    class State(models.TextChoices):
        """Where the line is."""

        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        PASSED = "passed", "Passed"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Not checked"

    run = models.ForeignKey(PreflightRun, on_delete=models.CASCADE, related_name="lines")
    name = models.SlugField(max_length=60)
    title = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    cause = models.TextField(blank=True)
    who = models.CharField(max_length=60, blank=True)
    todo = models.TextField(blank=True)
    code = models.CharField(max_length=80, blank=True, help_text="Code of the error, for docs/troubleshooting.md")
    link = models.CharField(max_length=300, blank=True)
    link_label = models.CharField(max_length=60, blank=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["run", "position"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="preflight_line_name")]

    def __str__(self) -> str:
        return f"{self.title}: {self.get_state_display().lower()}"

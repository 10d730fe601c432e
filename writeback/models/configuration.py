"""What the hospital chose: by which means, as whom and how fast its Epic is told."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from config_portal.models import FhirEndpoint
from core.crypto import EncryptedTextField
from core.models import new_id


class Means(models.TextChoices):
    """How Epic is told who is in a visit."""

    CONNECTION_STATUS = "connection_status", "SetExternalConnectionStatus, shown in Epic's schedule"
    COMMUNICATION = "communication", "FHIR Communication, a line in the chart"
    OBSERVATION = "observation", "FHIR Observation, a flowsheet row"


class DeviceTestMeans(models.TextChoices):
    """What becomes of the result of a device test."""

    STORE_ONLY = "store_only", "Keep it here only"
    SERVICE = "service", "Call a service of Epic like SetExternalConnectionStatus"
    COMMUNICATION = "communication", "FHIR Communication, a line in the chart"
    OBSERVATION = "observation", "FHIR Observation, a flowsheet row"


class AuthorizationKind(models.TextChoices):
    """How the connector proves to Epic who it is."""

    BACKEND_OAUTH = "backend_oauth", "Backend app (OAuth 2.0 with our key)"
    BASIC = "basic", "Background user (Basic, with Epic-Client-ID)"


class WritebackConfiguration(models.Model):
    """The choices for one FHIR endpoint; an endpoint without a row runs on the defaults.

    Part of what an approval covers, but for ``basic_password``, which acts at once like every secret. How
    SetExternalConnectionStatus is called is ``FhirEndpoint.connection_status``; ``device_test_service`` has the
    same form. ``most_at_once`` and ``most_a_second`` limit our calls to this Epic, whatever is waiting.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.OneToOneField(FhirEndpoint, on_delete=models.CASCADE, related_name="writeback_configuration")
    means = models.CharField(max_length=20, choices=Means, default=Means.CONNECTION_STATUS)
    device_tests = models.CharField(max_length=20, choices=DeviceTestMeans, default=DeviceTestMeans.STORE_ONLY)
    device_test_service = models.JSONField(default=dict, blank=True)
    authorization = models.CharField(max_length=16, choices=AuthorizationKind, default=AuthorizationKind.BACKEND_OAUTH)
    basic_username = models.CharField(max_length=120, blank=True, help_text="Without the prefix emp$")
    basic_password = EncryptedTextField(null=True, blank=True)
    observation_system = models.CharField(max_length=200, blank=True, help_text="Code system, a URI")
    presence_code = models.CharField(max_length=60, blank=True, help_text="Observation code of coming and going")
    device_test_code = models.CharField(max_length=60, blank=True, help_text="Observation code of device tests")
    most_at_once = models.PositiveSmallIntegerField(
        default=16, validators=[MinValueValidator(1), MaxValueValidator(64)], help_text="Calls open at the same time"
    )
    most_a_second = models.PositiveSmallIntegerField(
        default=100, validators=[MinValueValidator(1), MaxValueValidator(1000)], help_text="Calls begun within a second"
    )

    def __str__(self) -> str:
        return f"write-back of {self.endpoint}"

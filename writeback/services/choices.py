"""What was approved for one FHIR endpoint, as plain values, and who we are when we call it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from config_portal.models import FhirEndpoint
from config_portal.services.connections import ApprovedConfiguration, epic_connection
from core.errors import ConfigurationError
from epic.authorization import Authorization, BackendAuthorization, BasicAuthorization
from epic.connection import Audience
from epic.fhir import ObservationCode
from epic.telehealth import ConnectionStatusSettings
from writeback.models import WritebackConfiguration
from writeback.models.configuration import AuthorizationKind, DeviceTestMeans, Means

PART = "writeback"
# Of the approved part; the password is a secret and acts at once.
_APPROVED = (
    "means", "device_tests", "device_test_service", "authorization", "basic_username", "observation_system",
    "presence_code", "device_test_code", "most_at_once", "most_a_second",
)  # fmt: skip
_CHART = {Means.COMMUNICATION, Means.OBSERVATION}


@dataclass(frozen=True, kw_only=True)
class Choices:
    """By which means, as whom and how fast an Epic is told."""

    means: str = Means.CONNECTION_STATUS
    device_tests: str = DeviceTestMeans.STORE_ONLY
    authorization: str = AuthorizationKind.BACKEND_OAUTH
    basic_username: str = field(default="", repr=False)
    observation_system: str = ""
    presence_code: str = ""
    device_test_code: str = ""
    most_at_once: int = 16
    most_a_second: int = 100
    connection_status: ConnectionStatusSettings = field(default_factory=ConnectionStatusSettings)
    device_test_service: ConnectionStatusSettings = field(default_factory=ConnectionStatusSettings)

    @property
    def writes_to_chart(self) -> bool:
        """Whether a patient's FHIR id is needed."""
        return bool({self.means, self.device_tests} & _CHART)

    def means_of(self, *, is_device_test: bool) -> str:
        """Return the means for a kind of news."""
        return self.device_tests if is_device_test else self.means

    def observation_code(self, *, is_device_test: bool) -> ObservationCode:
        """Return the code that the site has mapped for a kind of news.

        :raises ConfigurationError: ``writeback.no_observation_code``.
        """
        code = self.device_test_code if is_device_test else self.presence_code
        if not (self.observation_system and code):
            raise ConfigurationError("writeback.no_observation_code", "The Observation has no code system or code.")
        return ObservationCode(system=self.observation_system, code=code)


def snapshot_part(endpoint: FhirEndpoint) -> dict[str, Any]:
    """Return what an approval covers of an endpoint's write-back; empty when nothing was chosen."""
    chosen: WritebackConfiguration | None = getattr(endpoint, "writeback_configuration", None)
    is_stored = chosen is not None and not chosen._state.adding  # a form's draft of defaults is not
    return {name: getattr(chosen, name) for name in _APPROVED} if is_stored else {}


def restore(endpoint: FhirEndpoint, content: Mapping[str, Any]) -> None:
    """Write an approved part back into the draft; a password is never part of it and stays."""
    values = {name: content[name] for name in _APPROVED if name in content}
    if values:
        WritebackConfiguration.objects.update_or_create(endpoint=endpoint, defaults=values)


def approved_choices(configuration: ApprovedConfiguration) -> Choices:
    """Return what runs for an endpoint.

    :raises ConfigurationError: ``epic.connection_status_settings``.
    """
    part: Mapping[str, Any] = configuration.part(PART)
    plain: dict[str, Any] = {name: part[name] for name in _APPROVED if name in part and name != "device_test_service"}
    return Choices(
        connection_status=ConnectionStatusSettings.from_json(configuration.snapshot["endpoint"]["connection_status"]),
        device_test_service=ConnectionStatusSettings.from_json(part.get("device_test_service", {})),
        **plain,
    )


def authorization_of(endpoint: FhirEndpoint, choices: Choices) -> Authorization:
    """Return who we are at the Epic of ``endpoint``.

    :raises ConfigurationError: ``writeback.no_password``, or as
        :func:`config_portal.services.connections.epic_connection`.
    """
    connection = epic_connection(endpoint, Audience.BACKEND)
    if choices.authorization == AuthorizationKind.BACKEND_OAUTH:
        return BackendAuthorization(connection=connection)
    chosen = WritebackConfiguration.objects.filter(endpoint=endpoint).first()
    if chosen is None or not (chosen.basic_password and choices.basic_username):
        raise ConfigurationError("writeback.no_password", "The background user has no name or no password.")
    return BasicAuthorization(
        client_id=connection.client_id, username=choices.basic_username, password=chosen.basic_password
    )

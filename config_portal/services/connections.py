"""From an approved configuration to the plain values that adapters take."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from config_portal.models import FhirEndpoint, SigningKey
from config_portal.services.keys import client_key
from core.errors import ConfigurationError
from epic.connection import Audience, EpicApp, EpicConnection, SmartEndpoints


@dataclass(frozen=True)
class ApprovedConfiguration:
    """What runs for one FHIR endpoint: a read-only view of the approved snapshot."""

    endpoint_id: UUID
    snapshot: dict[str, Any]

    @cached_property
    def smart(self) -> SmartEndpoints:
        """The OAuth addresses discovered before the approval."""
        return SmartEndpoints(**self.snapshot["smart"])

    @property
    def base_url(self) -> str:
        """The FHIR base URL."""
        return str(self.snapshot["endpoint"]["base_url"])

    @property
    def time_zone(self) -> str:
        """The IANA zone in which Epic writes local times."""
        return str(self.snapshot["endpoint"]["time_zone"])

    @property
    def assertion_purpose(self) -> str:
        """Which of our keys signs what proves to Epic who we are; a ``SigningKey.Purpose``."""
        is_curve = self.snapshot["endpoint"].get("assertion_algorithm") == FhirEndpoint.AssertionAlgorithm.ES384
        return SigningKey.Purpose.SMART_ES384 if is_curve else SigningKey.Purpose.SMART_RS384

    @property
    def authorize_method(self) -> Literal["POST", "GET"]:
        """How a launch goes on to Epic's sign-in: by a form or by a link."""
        method = self.snapshot["endpoint"].get("authorize_method")
        return "GET" if method == FhirEndpoint.AuthorizeMethod.GET else "POST"

    @property
    def join_window(self) -> tuple[timedelta, timedelta]:
        """How long before the start and after the end a patient may join."""
        endpoint = self.snapshot["endpoint"]
        return timedelta(minutes=endpoint["join_opens_minutes"]), timedelta(minutes=endpoint["join_closes_minutes"])

    def client_id(self, audience: Audience) -> str:
        """Return the client id of one of our three apps.

        :raises ConfigurationError: ``endpoint.client_id_missing``.
        """
        client_id = str(self.snapshot["endpoint"][f"{audience}_client_id"])
        if not client_id:
            raise ConfigurationError("endpoint.client_id_missing", f"The {audience} app has no client id.")
        return client_id

    def part(self, name: str) -> dict[str, Any]:
        """Return what another app added to the snapshot under ``name``; empty when it did not."""
        return dict(self.snapshot.get(name, {}))


def approved_configuration(endpoint: FhirEndpoint) -> ApprovedConfiguration:
    """Return the configuration that runs for ``endpoint``.

    What is stored must still have the digest that was approved: nothing runs that somebody wrote past the portal.

    :raises ConfigurationError: ``endpoint.not_approved``, ``endpoint.paused`` or ``endpoint.approval_altered``.
    """
    if endpoint.approved_version is None:
        raise ConfigurationError("endpoint.not_approved", "This Epic connection is not approved yet.")
    if endpoint.is_paused:
        raise ConfigurationError("endpoint.paused", "This Epic connection is paused.")
    if not endpoint.approved_version.is_as_approved:
        raise ConfigurationError("endpoint.approval_altered", "What was approved was altered afterwards.")
    return ApprovedConfiguration(endpoint.pk, endpoint.approved_version.snapshot)


def epic_app(endpoint: FhirEndpoint, audience: Audience) -> EpicApp:
    """Return one of our apps at the Epic of ``endpoint``, as it was approved; enough to send a browser there.

    :raises ConfigurationError: when nothing is approved, or the client id is missing.
    """
    configuration = approved_configuration(endpoint)
    return EpicApp(
        fhir_base_url=configuration.base_url,
        audience=audience,
        client_id=configuration.client_id(audience),
        smart=configuration.smart,
    )


def epic_connection(endpoint: FhirEndpoint, audience: Audience) -> EpicConnection:
    """Return the same with our key, for calls of ours.

    :raises ConfigurationError: when nothing is approved, or a client id or key is missing.
    """
    app, purpose = epic_app(endpoint, audience), approved_configuration(endpoint).assertion_purpose
    return EpicConnection(
        fhir_base_url=app.fhir_base_url,
        audience=audience,
        client_id=app.client_id,
        smart=app.smart,
        key=client_key(endpoint, purpose=purpose),
    )

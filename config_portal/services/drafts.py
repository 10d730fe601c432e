"""The configuration as it stands now, and how it differs from what runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from config_portal import snapshot, wording
from config_portal.models import ConfigurationVersion, FhirEndpoint, SigningKey
from config_portal.services.discovery import known_smart
from config_portal.services.keys import client_key
from core.errors import ConfigurationError
from epic.connection import Audience, EpicConnection, SmartEndpoints

_PURPOSES: dict[str, str] = {
    FhirEndpoint.AssertionAlgorithm.RS384: SigningKey.Purpose.SMART_RS384,
    FhirEndpoint.AssertionAlgorithm.ES384: SigningKey.Purpose.SMART_ES384,
}


@dataclass(frozen=True)
class Draft:
    """What an approval now would let run.

    :param smart: the OAuth addresses it names; None while Epic has not been asked, and then nothing can be approved.
    """

    endpoint: FhirEndpoint
    smart: SmartEndpoints | None

    @cached_property
    def content(self) -> dict[str, Any]:
        """The snapshot."""
        return snapshot.take(self.endpoint, smart=asdict(self.smart) if self.smart else {})

    @cached_property
    def digest(self) -> str:
        """Its SHA-256."""
        return snapshot.digest(self.content)

    @property
    def approved(self) -> ConfigurationVersion | None:
        """What runs."""
        return self.endpoint.approved_version

    @property
    def is_approved(self) -> bool:
        """Whether just this is what runs."""
        return self.approved is not None and self.approved.digest == self.digest

    @cached_property
    def differences(self) -> Sequence[wording.Difference]:
        """What an approval would change, in words."""
        return wording.difference(self.approved.snapshot if self.approved else None, self.content)


def draft_of(endpoint: FhirEndpoint) -> Draft:
    """Return the draft of ``endpoint``, with the OAuth addresses known so far; nothing is called."""
    return Draft(endpoint, known_smart(endpoint))


def draft_connection(endpoint: FhirEndpoint, audience: Audience, *, smart: SmartEndpoints) -> EpicConnection:
    """Return one of our apps at the draft's Epic, for checks and sign-ins before the approval.

    :raises ConfigurationError: ``endpoint.client_id_missing`` or ``keys.missing``.
    """
    client_id = str(getattr(endpoint, f"{audience}_client_id"))
    if not client_id:
        raise ConfigurationError("endpoint.client_id_missing", f"The {audience} app has no client id.")
    return EpicConnection(
        fhir_base_url=endpoint.base_url,
        audience=audience,
        client_id=client_id,
        key=client_key(endpoint, purpose=_PURPOSES[endpoint.assertion_algorithm]),
        smart=smart,
    )


def drafts_of(endpoints: QuerySet[FhirEndpoint]) -> list[Draft]:
    """Return the drafts of ``endpoints``, with the same few queries however many there are."""
    return [draft_of(endpoint) for endpoint in snapshot.with_parts(endpoints)]

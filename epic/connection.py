"""What an Epic adapter needs to know about one Epic: plain values, no models."""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Which of an organization's three Epic apps is meant."""

    PROVIDER = "provider"
    PATIENT = "patient"
    BACKEND = "backend"


@dataclass(frozen=True, kw_only=True)
class SmartEndpoints:
    """What an Epic announces about its OAuth 2.0 server.

    Source: SMART App Launch 2.2, ``/.well-known/smart-configuration``; or the ``oauth-uris`` extension
    of the CapabilityStatement.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, kw_only=True)
class ClientKey:
    """A private key with which we prove to Epic who we are.

    :param algorithm: ``RS384`` or ``ES384``.
    :param private_key: PEM.
    """

    key_id: str
    algorithm: str
    private_key: str


@dataclass(frozen=True, kw_only=True)
class EpicApp:
    """One of our apps at one Epic: all that is needed to send a browser there."""

    fhir_base_url: str
    audience: Audience
    client_id: str
    smart: SmartEndpoints


@dataclass(frozen=True, kw_only=True)
class EpicConnection(EpicApp):
    """One of our apps at one Epic, with the key that proves who we are when we call it."""

    key: ClientKey

    @property
    def interconnect_url(self) -> str:
        """Return the address below which Epic's non-FHIR services live: the part before ``/api/FHIR``."""
        return self.fhir_base_url.partition("/api/FHIR/")[0]

"""Ask an Epic where its OAuth 2.0 server is and what it runs.

Source: SMART App Launch 2.2, ``/.well-known/smart-configuration`` (Epic since August 2021); the
``oauth-uris`` extension of the CapabilityStatement before; Epic OAuth 2.0 specification, "Discovery":
``Epic-Client-ID`` must be sent, because a site may give other addresses to a client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from core.errors import ConfigurationError, ConnectorError, UpstreamRejected
from core.http import json_object, raise_for_status, send
from epic.base_url import check_base_url
from epic.connection import SmartEndpoints

SMART_PATH = "/.well-known/smart-configuration"
METADATA_PATH = "/metadata"

_SYSTEM = "epic"
_OAUTH_URIS = "/oauth-uris"  # the extension's address differs between versions; its ending does not


@dataclass(frozen=True, kw_only=True)
class FhirServer:
    """What a CapabilityStatement says about the server; '' for what it does not say.

    :param software: name and version, such as ``Epic May 2026``.
    :param fhir_version: such as ``4.0.1``.
    :param organization: whose it is, in its own words.
    """

    software: str
    fhir_version: str
    organization: str


@dataclass(frozen=True, kw_only=True)
class DiscoveredEpic:
    """What an Epic says about itself.

    :param server: from ``/metadata``; all '' when that cannot be read and is not needed.
    :param source: the document that named the OAuth addresses: ``smart-configuration`` or ``metadata``.
    """

    smart: SmartEndpoints
    server: FhirServer
    source: str


def discover(session: requests.Session, base_url: str, *, client_id: str = "") -> DiscoveredEpic:
    """Return the OAuth addresses and versions of the Epic at ``base_url``.

    ``smart-configuration`` is asked first and ``/metadata`` second; the latter alone knows the
    versions, so that its failure is only held against an Epic without the former.

    :param client_id: one of our client ids, sent as ``Epic-Client-ID``.
    :raises ConfigurationError: ``epic.base_url_suffix``, ``epic.discovery_incomplete`` or
        ``epic.discovery_unsafe``.
    :raises UpstreamUnavailable: when it does not answer; so does ``OutcomeUnknown``.
    :raises UpstreamRejected: when it answers with something else.
    """
    base_url = check_base_url(base_url)
    headers = {"Epic-Client-ID": client_id} if client_id else {}
    smart = _from_smart_configuration(session, base_url, headers)
    statement = _capability_statement(session, base_url, headers, is_needed=smart is None)
    source = "smart-configuration" if smart else "metadata"
    if smart is None:
        smart = _from_capability_statement(session, statement, headers)
    _check_addresses(smart, base_url=base_url)
    return DiscoveredEpic(smart=smart, server=_server_of(statement), source=source)


def read_metadata(session: requests.Session, base_url: str, *, client_id: str = "") -> FhirServer:
    """Return what the CapabilityStatement of ``base_url`` says about its server.

    :raises UpstreamRejected: ``epic.not_json`` for XML or a web page, ``epic.rejected`` otherwise.
    :raises UpstreamUnavailable: when it does not answer; so does ``OutcomeUnknown``.
    """
    headers = {"Epic-Client-ID": client_id} if client_id else {}
    return _server_of(_capability_statement(session, check_base_url(base_url), headers, is_needed=True))


def read_issuer(session: requests.Session, issuer: str) -> str:
    """Return what the OpenID configuration of ``issuer`` calls itself; '' when it does not say.

    :raises ConnectorError: when it cannot be read.
    """
    return str(_openid_configuration(session, issuer, {}).get("issuer") or "")


def _server_of(statement: dict[str, Any]) -> FhirServer:
    software, implementation = _object(statement.get("software")), _object(statement.get("implementation"))
    return FhirServer(
        software=" ".join(str(software[part]) for part in ("name", "version") if software.get(part))[:120],
        fhir_version=str(statement.get("fhirVersion", ""))[:20],
        organization=str(implementation.get("description") or statement.get("publisher") or "")[:200],
    )


def _from_smart_configuration(
    session: requests.Session, base_url: str, headers: Mapping[str, str]
) -> SmartEndpoints | None:
    """Return what ``smart-configuration`` says; None from an Epic too old to have one."""
    response = send(
        session, "GET", base_url + SMART_PATH, system=_SYSTEM, headers={**headers, "Accept": "application/json"}
    )
    try:
        raise_for_status(response, system=_SYSTEM, detail="smart-configuration")
        document = json_object(response, system=_SYSTEM)
    except UpstreamRejected:
        return None
    named = {name: document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    if not all(isinstance(value, str) and value for value in named.values()):
        return None
    issuer = document.get("issuer") or _issuer_of(str(named["token_endpoint"]))
    return SmartEndpoints(issuer=str(issuer), **{name: str(value) for name, value in named.items()})


def _capability_statement(
    session: requests.Session, base_url: str, headers: Mapping[str, str], *, is_needed: bool
) -> dict[str, Any]:
    try:
        response = send(
            session,
            "GET",
            base_url + METADATA_PATH,
            system=_SYSTEM,
            headers={**headers, "Accept": "application/fhir+json"},  # XML otherwise
        )
        raise_for_status(response, system=_SYSTEM, detail="metadata")
        return json_object(response, system=_SYSTEM)
    except ConnectorError:
        if is_needed:
            raise
        return {}


def _from_capability_statement(
    session: requests.Session, statement: dict[str, Any], headers: Mapping[str, str]
) -> SmartEndpoints:
    """Return the addresses of the ``oauth-uris`` extension; the key set comes from OpenID discovery."""
    uris = dict(_oauth_uris(statement))
    if not (uris.get("authorize") and uris.get("token")):
        raise ConfigurationError(
            "epic.discovery_incomplete",
            "This FHIR server does not say where its OAuth 2.0 server is. Check the base URL.",
        )
    issuer = _issuer_of(uris["token"])
    return SmartEndpoints(
        issuer=issuer,
        authorization_endpoint=uris["authorize"],
        token_endpoint=uris["token"],
        jwks_uri=_jwks_uri(session, issuer, headers),
    )


def _oauth_uris(statement: dict[str, Any]) -> list[tuple[str, str]]:
    extensions = [
        extension
        for rest in _objects(statement.get("rest"))
        for extension in _objects((rest.get("security") or {}).get("extension"))
        if str(extension.get("url", "")).endswith(_OAUTH_URIS)
    ]
    parts = [part for extension in extensions for part in _objects(extension.get("extension"))]
    return [(str(part.get("url")), part["valueUri"]) for part in parts if isinstance(part.get("valueUri"), str)]


def _jwks_uri(session: requests.Session, issuer: str, headers: Mapping[str, str]) -> str:
    jwks_uri = _openid_configuration(session, issuer, headers).get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise ConfigurationError("epic.discovery_incomplete", "Epic does not say where its public keys are.")
    return jwks_uri


def _openid_configuration(session: requests.Session, issuer: str, headers: Mapping[str, str]) -> dict[str, Any]:
    response = send(
        session,
        "GET",
        f"{issuer}/.well-known/openid-configuration",
        system=_SYSTEM,
        headers={**headers, "Accept": "application/json"},
    )
    raise_for_status(response, system=_SYSTEM, detail="openid-configuration")
    return json_object(response, system=_SYSTEM)


def _issuer_of(token_endpoint: str) -> str:
    """Epic names its issuer after the token endpoint; see ``epic.id_token`` for the two forms."""
    return token_endpoint.removesuffix("/").removesuffix("/token")


def _check_addresses(smart: SmartEndpoints, *, base_url: str) -> None:
    """Refuse what is no web address, and plain http behind an https FHIR server."""
    is_secure = urlsplit(base_url).scheme == "https"
    for address in (smart.authorization_endpoint, smart.token_endpoint, smart.jwks_uri):
        parts = urlsplit(address)
        if not parts.netloc or parts.scheme not in ({"https"} if is_secure else {"https", "http"}):
            raise ConfigurationError(
                "epic.discovery_unsafe", "Epic names an OAuth address that is not a secure web address."
            )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

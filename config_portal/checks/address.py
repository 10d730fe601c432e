"""Lines about the FHIR base URL; also what the preview shows before an address is saved."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from config_portal.doctor import CheckContext, CheckResult, Fixer, Group, SetupCheck, failed, passed
from core.errors import ConnectorError
from core.http import policy_from_settings, send
from core.moments import written
from core.tls import inspect_tls
from epic.base_url import check_base_url, version_of
from epic.discovery import FhirServer, read_issuer, read_metadata

# The beginning of `fhirVersion` for each ending of a base URL.
_FHIR_VERSIONS = {"R4": "4.0", "STU3": "3.0", "DSTU2": "1.0"}
_CERTIFICATE_MARGIN = timedelta(days=14)
_OAUTH_REFUSALS = range(400, 500)
_NOT_FOUND = 404


def suffix(context: CheckContext) -> CheckResult:
    """Check that the address is a web address that ends in a FHIR version."""
    check_base_url(context.endpoint.base_url)
    return passed(f"The address ends in /api/FHIR/{version_of(context.endpoint.base_url)}.")


def tls(context: CheckContext) -> CheckResult:
    """Check that a connection is possible, and that its certificate holds for a while."""
    url = check_base_url(context.endpoint.base_url)
    if urlsplit(url).scheme == "http":
        policy = policy_from_settings()
        if not policy.allow_http:
            return failed(
                "The address begins with http://, so everything could be read on the way.",
                who=Fixer.ADMIN,
                todo="Enter the address with https://.",
                code="http.not_https",
            )
        return passed("Plain http, which the operator allows for this network.")
    facts = inspect_tls(url, policy=policy_from_settings())
    until = written(facts.expires_at, style="date", zone_name=context.endpoint.organization.time_zone)
    if facts.expires_at < context.now + _CERTIFICATE_MARGIN:
        return failed(
            f"The server's certificate expires on {until}; after that no visit can begin.",
            who=Fixer.NETWORK,
            todo="Renew the certificate of the FHIR server.",
            code="tls.expires_soon",
        )
    return passed(f"{facts.version.replace('TLSv', 'TLS ')}; the certificate is valid until {until}.")


def metadata(context: CheckContext) -> CheckResult:
    """Check that the server is a FHIR server of the version in the address."""
    server = server_of(context)
    wanted = version_of(context.endpoint.base_url)
    if server.fhir_version and not server.fhir_version.startswith(_FHIR_VERSIONS.get(wanted, "")):
        return failed(
            f"The address ends in {wanted}, but the server speaks FHIR {server.fhir_version}.",
            who=Fixer.ANALYST,
            todo="Give the administrator the FHIR base URL of the right version.",
            code="epic.fhir_version",
        )
    named = " · ".join(part for part in (server.organization, server.software) if part)
    return passed(f"{named or 'A FHIR server'}, FHIR {server.fhir_version or 'version not stated'}.")


def smart(context: CheckContext) -> CheckResult:
    """Check that the server says where its OAuth 2.0 server is."""
    found = context.discovered()
    return passed(f"OAuth 2.0 addresses from {found.source}: {found.smart.authorization_endpoint}")


def issuer(context: CheckContext) -> CheckResult:
    """Check that everybody names the same issuer: SMART configuration, OpenID configuration, and what was approved."""
    named = context.discovered().smart.issuer
    others = {"The approved version": _approved_issuer(context), "OpenID configuration": _openid_issuer(context, named)}
    for source, other in others.items():
        if other and other.rstrip("/") != named.rstrip("/"):
            return failed(
                f"SMART configuration names the issuer {named}, but {source[0].lower()}{source[1:]} names {other}.",
                who=Fixer.ANALYST,
                todo="Find out which of the two is right. Signatures of another issuer are not accepted.",
                code="epic.issuer_differs",
            )
    return passed(f"The issuer is {named}.")


def token_endpoint(context: CheckContext) -> CheckResult:
    """Check that the token endpoint answers as one: without credentials it must refuse."""
    address = context.discovered().smart.token_endpoint
    response = send(context.session(), "POST", address, system="epic", data={"grant_type": "client_credentials"})
    if response.status_code not in _OAUTH_REFUSALS or response.status_code == _NOT_FOUND:
        return failed(
            f"The token endpoint answers with status {response.status_code} instead of asking who is calling.",
            who=Fixer.ANALYST,
            todo=f"Check the token endpoint in the Interconnect configuration: {address}",
            code="epic.token_endpoint",
        )
    return passed(f"The token endpoint answers: {address}")


def server_of(context: CheckContext) -> FhirServer:
    """Return what ``/metadata`` says, asked once."""
    return context.shared(
        "metadata",
        lambda: read_metadata(context.session(), context.endpoint.base_url, client_id=context.client_id),
    )


def described(context: CheckContext) -> dict[str, Any] | None:
    """Return what is kept with an endpoint about its server; None when the server did not say all of it."""
    try:
        return {"server": asdict(server_of(context)), "smart": asdict(context.discovered().smart)}
    except ConnectorError:
        return None


def _approved_issuer(context: CheckContext) -> str:
    version = context.endpoint.approved_version
    return str(version.snapshot["smart"]["issuer"]) if version else ""


def _openid_issuer(context: CheckContext, named: str) -> str:
    """Return what the OpenID configuration says; a server without one leaves nothing to compare."""
    try:
        return read_issuer(context.session(), named)
    except ConnectorError:
        return ""


CHECKS = (
    SetupCheck(name="base-url", title="FHIR version in the address", order=Group.ADDRESS, run=suffix),
    SetupCheck(name="tls", title="Connection, TLS and certificate", order=Group.ADDRESS + 10, run=tls),
    SetupCheck(name="metadata", title="FHIR metadata", order=Group.ADDRESS + 20, run=metadata),
    SetupCheck(name="smart-configuration", title="SMART configuration", order=Group.ADDRESS + 30, run=smart),
    SetupCheck(name="issuer", title="Issuer", order=Group.ADDRESS + 40, run=issuer),
    SetupCheck(name="token-endpoint", title="Token endpoint", order=Group.ADDRESS + 50, run=token_endpoint),
)

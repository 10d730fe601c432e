"""Which app calls Entra, proven by its secret or by its certificate."""

import base64
import hmac
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.http import HttpRequest

from sandbox import faults, people, setup
from sandbox.entra.discovery import base
from sandbox.oauth import ASSERTION_TYPE, OAuthRefused, assertion_header, issuer_of, verify_assertion

_ALGORITHMS = ("PS256", "RS256")


def authenticate(request: HttpRequest, *, tenant: str) -> dict[str, Any]:
    """Return the app registration that a token request comes from.

    :raises OAuthRefused: ``unauthorized_client`` for an unknown app, ``invalid_client`` without its proof.
    """
    if faults.get("entra.token") == "invalid_client":
        raise OAuthRefused("invalid_client", "AADSTS7000222: The provided client secret keys are expired.")
    given = request.POST
    client_id, secret = _basic(request) or (given.get("client_id", ""), given.get("client_secret", ""))
    assertion = given.get("client_assertion", "")
    app = setup.entra_app(client_id or issuer_of(assertion))
    if app is None or tenant != people.TENANT_ID:
        raise OAuthRefused("unauthorized_client", "AADSTS700016: The application was not found in the directory.")
    if given.get("client_assertion_type") == ASSERTION_TYPE:
        _check_certificate(assertion, app, tenant=tenant)
    elif not secret:
        raise OAuthRefused("invalid_client", "AADSTS7000218: A client_assertion or client_secret is needed.")
    elif not hmac.compare_digest(secret.encode(), str(app.get("client_secret", "")).encode()):
        raise OAuthRefused("invalid_client", "AADSTS7000215: The client secret is not the app's.")
    return app


def _check_certificate(assertion: str, app: dict[str, Any], *, tenant: str) -> None:
    try:
        header = assertion_header(assertion)
        keys = _certified_keys(app, str(header.get("x5t#S256", "")))
        audience = f"{base(tenant)}/oauth2/v2.0/token"
        verify_assertion(assertion, keys, client_id=app["client_id"], audience=audience, algorithms=_ALGORITHMS)
    except OAuthRefused as refused:
        raise OAuthRefused("invalid_client", f"AADSTS700027: {refused.description}") from refused


def _certified_keys(app: dict[str, Any], thumbprint: str) -> Iterator[Any]:
    """Go through the keys of the app's certificates (PEM) that have this SHA-256 thumbprint."""
    for pem in app.get("certificates", []):
        certificate = x509.load_pem_x509_certificate(str(pem).encode())
        digest = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
        if digest == thumbprint.rstrip("="):
            yield certificate.public_key()


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    """Read HTTP Basic, whose two halves are URL-encoded (RFC 6749, section 2.3.1)."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return None
    return unquote_plus(client_id), unquote_plus(secret)

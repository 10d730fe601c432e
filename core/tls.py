"""Look at the TLS certificate of another system, through the same guard as every outgoing call."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import certifi

from core.errors import ConfigurationError, UpstreamUnavailable
from core.outbound import OutboundPolicy, open_socket

_HTTPS_PORT = 443
# OpenSSL's X509_V_ERR_… numbers; see openssl-verification-options(1).
_EXPIRED, _NOT_YET_VALID, _WRONG_NAME = 10, 9, 62
_VERIFY_CODES = {_EXPIRED: "expired", _NOT_YET_VALID: "not_yet_valid", _WRONG_NAME: "wrong_name"}
_MESSAGES = {
    "expired": "The server's TLS certificate has expired.",
    "not_yet_valid": "The server's TLS certificate is not valid yet.",
    "wrong_name": "The server's TLS certificate was issued for another name than the one in the address.",
    "untrusted": (
        "The server's TLS certificate was not issued by an authority that is publicly trusted, or the server does "
        "not send the certificates in between."
    ),
}


@dataclass(frozen=True, kw_only=True)
class TlsFacts:
    """What a server showed.

    :param version: such as ``TLSv1.3``.
    """

    expires_at: datetime
    version: str


def inspect_tls(url: str, *, policy: OutboundPolicy, timeout: float = 5.0) -> TlsFacts:
    """Connect to the host of an https ``url`` and return what its certificate says.

    :raises ConfigurationError: ``tls.expired``, ``tls.not_yet_valid``, ``tls.wrong_name``, ``tls.untrusted``,
        or ``http.address_refused``.
    :raises UpstreamUnavailable: ``tls.unreachable`` without a connection, ``tls.failed`` without a handshake.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _HTTPS_PORT
    context = ssl.create_default_context(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        plain = open_socket(host, port, is_https=True, policy=policy, timeout=timeout)
    except OSError as error:
        raise UpstreamUnavailable("tls.unreachable", detail=type(error).__name__) from error
    with plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as secure:
                return _facts(secure)
        except ssl.SSLCertVerificationError as error:
            reason = _VERIFY_CODES.get(error.verify_code, "untrusted")
            raise ConfigurationError(f"tls.{reason}", _MESSAGES[reason]) from error
        except (ssl.SSLError, OSError) as error:
            raise UpstreamUnavailable(
                "tls.failed", "The server does not speak TLS 1.2 or later on this port.", detail=type(error).__name__
            ) from error


def _facts(secure: ssl.SSLSocket) -> TlsFacts:
    certificate = secure.getpeercert() or {}
    expires = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return TlsFacts(expires_at=datetime.fromtimestamp(expires, tz=UTC), version=secure.version() or "")

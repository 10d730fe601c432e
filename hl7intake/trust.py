"""TLS for a listener whose trust is a list of pinned certificates that may change at any time."""

import asyncio
import base64
import logging
import re
import ssl
import tempfile
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import Error as DatabaseFailure

from hl7intake.services.senders import PinnedSender, Sender

# X509_CERT_AUX with anyExtendedKeyUsage as trust setting. Public authorities no longer issue certificates
# for client authentication; a pinned one may serve whatever purpose it was issued for.
_TRUSTED_FOR_ANY_USE = bytes.fromhex("300830060604551d2500")

# X509_V_FLAG_NO_CHECK_TIME; Python has no name for it. The dates are looked at with the list of certificates.
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerIdentity:
    """Where the listener's own certificate and key are (PEM files)."""

    certificate_path: str
    key_path: str

    def version(self) -> tuple[int, int]:
        """Return what changes when the files are replaced."""
        paths = (Path(self.certificate_path), Path(self.key_path))
        certificate, key = (path.stat().st_mtime_ns for path in paths)
        return certificate, key


class Trust:
    """Who is let in: the senders by the fingerprint of their certificate, and the context that asks for it."""

    def __init__(self, senders: tuple[PinnedSender, ...], *, context: ssl.SSLContext | None) -> None:
        self.pinned = senders
        self.context = context
        self._known = {pinned.fingerprint: pinned for pinned in senders}

    def sender_of(self, fingerprint: str) -> Sender | None:
        """Return who holds the certificate with this fingerprint and may send, or None."""
        pinned = self._known.get(fingerprint)
        return pinned.sender if pinned is not None and not pinned.refusal else None

    def known(self, fingerprint: str) -> PinnedSender | None:
        """Return the registered certificate with this fingerprint, also one that is refused now."""
        return self._known.get(fingerprint)


class LiveTrust:
    """The trust in the certificates pinned at this moment, for each new connection.

    :param read: returns the pinned certificates.
    :param reuse_seconds: how long what was read may be used again.
    """

    def __init__(
        self,
        identity: ServerIdentity,
        *,
        read: Callable[[], Awaitable[tuple[PinnedSender, ...]]],
        reuse_seconds: float,
    ) -> None:
        self.current = Trust((), context=None)
        self._identity = identity
        self._read = read
        self._reuse_seconds = reuse_seconds
        self._read_at = float("-inf")
        self._built_from: object = None
        self._lock = asyncio.Lock()

    async def refresh(self) -> Trust:
        """Return the trust as of now; the last known one while the database is away.

        :raises OSError: when the listener's own certificate or key cannot be read.
        """
        loop = asyncio.get_running_loop()
        async with self._lock:
            if loop.time() - self._read_at < self._reuse_seconds:
                return self.current
            try:
                senders = await self._read()
            except DatabaseFailure as error:
                logger.warning("pinned certificates not read", extra={"error": type(error).__name__})
                senders = self.current.pinned
            self._read_at = loop.time()
            built_from = (senders, self._identity.version())
            if built_from != self._built_from:
                self.current, self._built_from = build_trust(senders, identity=self._identity), built_from
            return self.current


def build_trust(senders: tuple[PinnedSender, ...], *, identity: ServerIdentity) -> Trust:
    """Return the trust in exactly ``senders``.

    :raises OSError: when the listener's own certificate or key cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity.certificate_path, identity.key_path)
    context.verify_mode = ssl.CERT_REQUIRED
    # The leaf itself is the anchor, and hospitals' certificates often lack an authority key identifier.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    # Revoked, expired and future certificates complete the handshake and are hung up on before a byte is read:
    # only so is it known whose they were. (Behind the line above, which would take a flag without a name away.)
    context.verify_flags |= _NO_CHECK_TIME
    # A resumed session would not show its certificate again, and so outlive a revocation.
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    if senders:
        _load_pins(context, senders)
    return Trust(senders, context=context)


def _load_pins(context: ssl.SSLContext, senders: tuple[PinnedSender, ...]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
        file.writelines(_as_trusted(pinned.pem) for pinned in senders)
        file.flush()
        context.load_verify_locations(cafile=file.name)


def _as_trusted(pem: str) -> str:
    """Return ``pem`` as OpenSSL's TRUSTED CERTIFICATE: the certificate followed by what it is trusted for."""
    body = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem) + _TRUSTED_FOR_ANY_USE).decode()
    return "\n".join(
        ["-----BEGIN TRUSTED CERTIFICATE-----", *textwrap.wrap(body, 64), "-----END TRUSTED CERTIFICATE-----", ""]
    )


def own_certificates(path: str) -> str:
    """Return the certificates in the PEM file at ``path``, and nothing else that is in it; '' without such a file."""
    try:
        text = Path(path).read_text(encoding="ascii") if path else ""
    except (OSError, UnicodeDecodeError):
        return ""
    return "\n".join(_CERTIFICATE.findall(text))

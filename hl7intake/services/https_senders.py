"""Who sends over HTTPS: proven by a certificate that a known proxy verified, or by a signature of the body."""

import base64
import binascii
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from core import crypto
from hl7intake import signatures
from hl7intake.models import InboundMessage, SenderCertificate, SenderPassword
from hl7intake.reader import Header, Segment, read_header
from hl7intake.services.senders import RulesBook, Sender, sender_of
from hl7intake.signatures import BadSignature
from hl7intake.times import read_moment

_SHORTEST_SECRET = 32
_UTC_MARGIN = timedelta(hours=14)  # of a clock whose zone is not known


class SenderRefused(Exception):
    """Nobody we know sent this request.

    :param reason: for the operator and the organization, not for the sender.
    :param certificate_id: the registered certificate that was shown, if it was one.
    """

    def __init__(self, reason: str, *, certificate_id: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.certificate_id = certificate_id


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request shows of who sent it; empty where it shows nothing.

    :param proxy_secret: proves that ``certificate`` was put there by the operator's proxy.
    :param certificate: ``Client-Cert`` (RFC 9440) or an escaped PEM, as nginx writes it.
    :param signature: the header ``HL7-Signature``.
    :param authorization: the header ``Authorization``.
    """

    proxy_secret: str = ""
    certificate: str = ""
    signature: str = ""
    authorization: str = ""


def identify(endpoint_id: UUID, body: bytes, credentials: Credentials, *, now: datetime) -> Sender:
    """Return who sent ``body`` to the address of an endpoint.

    :raises SenderRefused: when it is not proven, or the endpoint's password is missing or wrong.
    """
    accepted = list(SenderCertificate.objects.accepted_at(now).filter(endpoint_id=endpoint_id))
    if credentials.certificate and _is_from_proxy(credentials.proxy_secret):
        certificate = _holder(credentials.certificate, accepted)
    elif credentials.signature:
        certificate = _signer(credentials.signature, body, accepted)
        _refuse_replay(body, endpoint_id, certificate, now=now)
    else:
        raise SenderRefused("no certificate and no signature")
    _check_password(endpoint_id, credentials.authorization, certificate)
    return sender_of(certificate)


def needs_password(endpoint_id: UUID) -> bool:
    """Return whether the endpoint's sender has to show a password besides."""
    return SenderPassword.objects.filter(endpoint_id=endpoint_id).exists()


def password_index(endpoint_id: UUID, password: str) -> str:
    """Return the HMAC under which a password is kept. It has 128 random bits: a slow hash adds nothing."""
    return crypto.index(password, purpose=f"hl7.password:{endpoint_id}")


def _is_from_proxy(secret: str) -> bool:
    known: str = settings.HL7_PROXY_SECRET
    return len(known) >= _SHORTEST_SECRET and hmac.compare_digest(secret.encode(), known.encode())


def _holder(header: str, accepted: list[SenderCertificate]) -> SenderCertificate:
    fingerprint = hashlib.sha256(_der_of(header)).hexdigest()
    for certificate in accepted:
        if certificate.fingerprint == fingerprint:
            return certificate
    known = SenderCertificate.objects.filter(fingerprint=fingerprint).first()
    reason = "certificate is not registered for this address" if known is None else "certificate is not accepted here"
    raise SenderRefused(reason, certificate_id=known.pk if known else None)


def _der_of(header: str) -> bytes:
    try:
        if header.startswith(":"):
            return base64.b64decode(header.strip(": "), validate=True)
        return ssl.PEM_cert_to_DER_cert(unquote(header).strip() + "\n")
    except (binascii.Error, ValueError) as error:
        raise SenderRefused("certificate cannot be read") from error


def _signer(header: str, body: bytes, accepted: list[SenderCertificate]) -> SenderCertificate:
    try:
        return accepted[signatures.verify(header, body, pems=[certificate.pem for certificate in accepted])]
    except BadSignature as error:
        raise SenderRefused("signature is of no registered certificate, or of another body") from error


def _refuse_replay(body: bytes, endpoint_id: UUID, certificate: SenderCertificate, *, now: datetime) -> None:
    """Refuse an old signed message that we do not know: whoever recorded it may send it, but not for ever.

    One that we do know is answered as the first time and has no effect, as over MLLP.
    """
    header = read_header(body)
    if _is_known(header, endpoint_id):
        return
    rules = RulesBook().of([endpoint_id])[endpoint_id]
    written = _time_of(body, header)
    moment = read_moment(written, zone=rules.zone if rules else _utc(), near=now)
    oldest = now - timedelta(days=settings.HL7_SIGNATURE_DAYS) - _UTC_MARGIN
    if moment is None or moment.at < oldest:
        raise SenderRefused("signed message is old (MSH-7)", certificate_id=certificate.pk)


def _utc() -> ZoneInfo:
    return ZoneInfo("UTC")


def _time_of(body: bytes, header: Header) -> str:
    line = body.strip(b"\x0b\x1c\r\n\t ").split(b"\r", 1)[0].split(b"\n", 1)[0]
    return Segment(line.decode("latin-1"), header.envelope.encoding).text(7)


def _is_known(header: Header, endpoint_id: UUID) -> bool:
    return InboundMessage.objects.filter(
        endpoint_id=endpoint_id,
        sending_application=header.envelope.sending_application,
        sending_facility=header.envelope.sending_facility,
        control_id=header.control_id,
    ).exists()


def _check_password(endpoint_id: UUID, authorization: str, certificate: SenderCertificate) -> None:
    wanted = SenderPassword.objects.filter(endpoint_id=endpoint_id).first()
    if wanted is None:
        return
    scheme, _, encoded = authorization.partition(" ")
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        username = password = ""
    shown = f"{username}:{password_index(endpoint_id, password)}"
    is_right = hmac.compare_digest(shown.encode(), f"{wanted.username}:{wanted.password_index}".encode())
    if scheme.lower() != "basic" or not is_right:
        raise SenderRefused("password is missing or wrong", certificate_id=certificate.pk)

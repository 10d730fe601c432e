"""Signatures of HL7 over HTTP: ``HL7-Signature: <algorithm> <base64>`` over the bytes of the body.

The base64 is either a detached CMS SignedData (RFC 5652) or the bare signature. Nothing that a signature brings
along is trusted: only the keys of certificates registered for the endpoint can verify it. Source: HAPI
``hapi-hl7overhttp``, whose header this is; the algorithms are named as Java names them.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

LONGEST_HEADER = 16_384
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
# Raw signatures, by the name before the base64.
_ALGORITHMS = {f"{name}with{kind}": name for name in _HASHES for kind in ("rsa", "ecdsa", "rsaandmgf1")}
_SET, _IMPLICIT_SET = b"\x31", b"\xa0"


class BadSignature(Exception):
    """The header is malformed, or no registered key made this signature of this body."""


@dataclass(frozen=True, kw_only=True)
class _Signed:
    """What has to be verified: these bytes, hashed so, have this signature."""

    content: bytes
    algorithm: hashes.HashAlgorithm
    signature: bytes


def verify(header: str, body: bytes, *, pems: Iterable[str]) -> int:
    """Return the position of the certificate among ``pems`` whose key signed ``body``.

    :raises BadSignature: when none did.
    """
    signed = _parse(header, body)
    for position, pem in enumerate(pems):
        if _is_signed_by(x509.load_pem_x509_certificate(pem.encode("ascii")), signed):
            return position
    raise BadSignature


def _parse(header: str, body: bytes) -> _Signed:
    name, _, encoded = header.strip().partition(" ")
    if len(header) > LONGEST_HEADER:
        raise BadSignature
    try:
        raw = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature from error
    algorithm = _ALGORITHMS.get(name.lower().replace("-", ""))
    if algorithm is not None and not _is_signed_data(raw):
        return _Signed(content=body, algorithm=_HASHES[algorithm], signature=raw)
    return _parse_cms(raw, body)


def _is_signed_data(raw: bytes) -> bool:
    return bytes.fromhex("06092a864886f70d010702") in raw[:32]


def _parse_cms(raw: bytes, body: bytes) -> _Signed:
    try:
        content = cms.ContentInfo.load(raw, strict=True)
        if content["content_type"].native != "signed_data":
            raise BadSignature
        (signer,) = content["content"]["signer_infos"]
        algorithm = _HASHES[signer["digest_algorithm"]["algorithm"].native]
        inside = content["content"]["encap_content_info"]["content"].native
        if inside is not None and inside != body:
            raise BadSignature
        return _Signed(
            content=_signed_bytes(signer, body, algorithm),
            algorithm=algorithm,
            signature=signer["signature"].native,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # what asn1crypto says of malformed input
        raise BadSignature from error


def _signed_bytes(signer: cms.SignerInfo, body: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    """Return what the signature covers: the attributes, which must hold the body's digest, or the body itself."""
    attributes = signer["signed_attrs"]
    if not attributes:
        return body
    values = {attribute["type"].native: attribute["values"].native for attribute in attributes}
    digest = hashes.Hash(algorithm)
    digest.update(body)
    if values.get("content_type") != ["data"] or len(values.get("message_digest", [])) != 1:
        raise BadSignature
    if not hmac.compare_digest(values["message_digest"][0], digest.finalize()):
        raise BadSignature
    encoded: bytes = attributes.dump()
    # RFC 5652 section 5.4: signed as a SET OF, sent with an implicit tag.
    return _SET + encoded[1:] if encoded[:1] == _IMPLICIT_SET else encoded


def _is_signed_by(certificate: x509.Certificate, signed: _Signed) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            return _is_signed_by_rsa(key, signed)
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signed.signature, signed.content, ec.ECDSA(signed.algorithm))
            return True
    except InvalidSignature:
        return False
    return False


def _is_signed_by_rsa(key: rsa.RSAPublicKey, signed: _Signed) -> bool:
    for scheme in (padding.PKCS1v15(), padding.PSS(padding.MGF1(signed.algorithm), padding.PSS.AUTO)):
        try:
            key.verify(signed.signature, signed.content, scheme, signed.algorithm)
        except InvalidSignature:
            continue
        return True
    return False

"""The two suppliers' signatures, as their documentation and SDKs make them."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping


def acs(key: str, *, method: str, path_and_query: str, date: str, host: str, digest: str) -> str:
    """Return the signature in base64.

    :param key: the access key in base64.
    :param digest: base64 SHA-256 of the body.
    """
    text = f"{method}\n{path_and_query}\n{date};{host};{digest}"
    try:
        secret = base64.b64decode(key)
    except binascii.Error:
        secret = key.encode()
    return base64.b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode()


def content_hash(body: bytes) -> str:
    """Return the base64 SHA-256 of ``body``."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def twilio(token: str, *, url: str, fields: Mapping[str, str]) -> str:
    """Return ``X-Twilio-Signature``: HMAC-SHA1 over the full address and the sorted fields, in base64."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()

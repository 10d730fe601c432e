"""FHIR base URLs: what a right one looks like, and when two of them are the same.

Source: Epic on FHIR, endpoint directory; every base URL ends in ``/api/FHIR/<version>``.
"""

import re
from urllib.parse import urlsplit, urlunsplit

from core.errors import ConfigurationError

_VERSIONS = ("R4", "STU3", "DSTU2")
_COMPLETE = re.compile(rf"/api/FHIR/({'|'.join(_VERSIONS)})$")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def normalize_base_url(url: str) -> str:
    """Return ``url`` with scheme and host in lower case, without default port and trailing slash.

    The path keeps its case: ``/api/FHIR/R4`` and ``/api/fhir/r4`` are different addresses.
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:  # such as :99999 - then it equals nothing but itself
        return url.strip()
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    is_default = port is None or port == _DEFAULT_PORTS.get(parts.scheme.lower())
    authority = host if is_default else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), authority, parts.path.rstrip("/"), parts.query, parts.fragment))


def is_same_base_url(one: str, other: str) -> bool:
    """Return whether both mean the same FHIR endpoint: only trailing slash and case of the host may differ."""
    return normalize_base_url(one) == normalize_base_url(other)


def version_of(url: str) -> str:
    """Return the FHIR version that ``url`` ends in, such as ``R4``; '' when it has none."""
    found = _COMPLETE.search(urlsplit(normalize_base_url(url)).path)
    return found.group(1) if found else ""


def check_base_url(url: str) -> str:
    """Return the normal form of a complete FHIR base URL.

    :raises ConfigurationError: ``epic.base_url_invalid`` when it is no plain web address, or
        ``epic.base_url_suffix``, whose message names the missing part.
    """
    normal = normalize_base_url(url)
    parts = urlsplit(normal)
    is_plain = parts.scheme in _DEFAULT_PORTS and parts.netloc and not (parts.query or parts.fragment)
    if not is_plain or "@" in urlsplit(url).netloc:
        raise ConfigurationError(
            "epic.base_url_invalid", "Enter the FHIR base URL as a web address that starts with https://."
        )
    if not _COMPLETE.search(parts.path):
        raise ConfigurationError("epic.base_url_suffix", _what_is_missing(parts.path))
    return normal


def _what_is_missing(path: str) -> str:
    versions = f"/{_VERSIONS[0]}, /{_VERSIONS[1]} or /{_VERSIONS[2]}"
    if re.search(r"/api/FHIR$", path, re.IGNORECASE):
        return f"The FHIR version is missing: add {versions} at the end."
    if re.search(rf"/api/FHIR/({'|'.join(_VERSIONS)})$", path, re.IGNORECASE):
        return "Upper and lower case matter: the address ends in /api/FHIR/ and R4, STU3 or DSTU2."
    if re.search(rf"/api/FHIR/({'|'.join(_VERSIONS)})/", path):
        return "The address goes on after the FHIR version: it ends in /api/FHIR/ and R4, STU3 or DSTU2."
    return f"The end of the address is missing: it must end in /api/FHIR followed by {versions}."

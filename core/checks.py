"""System checks: refuse to run, or warn, when the configuration is unsafe."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's names
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from core import crypto
from core.http import policy_from_settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECRET_CHARACTERS = 50


@register(Tags.security)
def keys_are_usable(**_: Any) -> list[CheckMessage]:
    """Encryption and index keys must exist and have the right length."""
    try:
        crypto.parse_keys(settings.ENCRYPTION_KEYS)
        crypto.derive("check")
    except (ImproperlyConfigured, ValueError) as error:
        return [Error(str(error), hint="Make them with: python -m ehrconnector.stack keys", id="core.E001")]
    return []


@register(Tags.security)
def public_address_is_https(**_: Any) -> list[CheckMessage]:
    """Anything but a machine's own address must be served over https."""
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        return [Error("PUBLIC_URL must start with https", id="core.E002")]
    return []


@register(Tags.security)
def outbound_policy_is_narrow(**_: Any) -> list[CheckMessage]:
    """Networks must parse; plain http may only reach loopback."""
    try:
        policy = policy_from_settings()
    except ValueError as error:
        return [Error(f"OUTBOUND_ALLOWED_NETWORKS: {error}", id="core.E003")]
    if policy.allow_http and not all(network.is_loopback for network in policy.allowed_networks):
        return [Error("OUTBOUND_ALLOW_HTTP is for loopback networks only", id="core.E004")]
    return []


@register(Tags.security, deploy=True)
def secrets_are_long(**_: Any) -> list[CheckMessage]:
    """Production needs a long secret key and a TLS certificate for the HL7 listener."""
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < _SECRET_CHARACTERS:
        found.append(Error("SECRET_KEY is shorter than 50 characters", id="core.E005"))
    if not (settings.MLLP_TLS_CERTIFICATE_PATH and settings.MLLP_TLS_KEY_PATH):
        found.append(Warning("The HL7 listener has no TLS certificate", id="core.W001"))
    return found


@register(Tags.database)
def database_role_is_bound(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Row-level security should hold for us too; superusers and roles with BYPASSRLS pass it by (ADR 20)."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            name, is_free = cursor.fetchone()
        if is_free:
            hint = "Run the connector as a role of its own: docs/operations.md, Database roles"
            found.append(Warning(f"The database role {name} bypasses row-level security", hint=hint, id="core.W002"))
    return found

"""Lines about our apps and our keys: does Epic know them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from config_portal.doctor import CheckContext, CheckResult, Fixer, Group, SetupCheck, failed, passed, skipped
from config_portal.models import SigningKey
from config_portal.services.drafts import draft_connection
from config_portal.services.keys import algorithm_of, client_key, confirm_key, public_keys, purpose_of
from core.errors import ConfigurationError
from core.http import json_object, raise_for_status, send
from core.moments import ago, written
from epic.connection import Audience
from epic.oauth import request_token

EPIC_TAKES = timedelta(hours=24)
_APPS = {Audience.PROVIDER: "provider app", Audience.PATIENT: "patient app", Audience.BACKEND: "backend app"}
_ALGORITHMS = (SigningKey.Purpose.SMART_RS384, SigningKey.Purpose.SMART_ES384)


def client_ids(context: CheckContext) -> CheckResult:
    """Check that each of the three apps has a client id of its own."""
    ids = {app: str(getattr(context.endpoint, f"{audience}_client_id")) for audience, app in _APPS.items()}
    missing = [app for app, client_id in ids.items() if not client_id]
    if missing:
        return failed(
            f"No client id for the {' and the '.join(missing)}.",
            who=Fixer.ANALYST,
            todo="Tell the administrator the client ids that Epic shows for this environment.",
            code="endpoint.client_id_missing",
            **_change(context),
        )
    if len(set(ids.values())) < len(ids):
        return failed(
            "Two apps have the same client id. Epic would treat patients and providers alike.",
            who=Fixer.ADMIN,
            todo="Enter the client id of each app in its own field.",
            code="endpoint.client_id_twice",
            **_change(context),
        )
    return passed("Provider, patient and backend app each have a client id.")


def published_keys(context: CheckContext) -> CheckResult:
    """Check that our key set can be fetched where Epic is told to fetch it."""
    address = settings.PUBLIC_URL + reverse("portal:jwks", args=[context.endpoint.launch_id])
    wanted = {key["kid"] for key in public_keys(context.endpoint)["keys"]}
    if not wanted:
        return failed(
            "There are no keys in this environment yet.",
            who=Fixer.OPERATOR,
            todo="Authorize the organization for this environment.",
            code="keys.missing",
        )
    try:
        response = send(context.session(), "GET", address, system="connector")
    except ConfigurationError:
        return skipped(f"The connector may not call its own address; open it in a browser: {address}")
    raise_for_status(response, system="connector")
    found = {key.get("kid") for key in json_object(response, system="connector").get("keys", [])}
    if not wanted <= found:
        return failed(
            f"{address} shows other keys than the connector has.",
            who=Fixer.OPERATOR,
            todo="Check that PUBLIC_URL leads to this installation.",
            code="keys.published_elsewhere",
        )
    return passed(f"{len(wanted)} public keys at {address}")


def keys_in_epic(context: CheckContext) -> CheckResult:
    """Check that Epic takes a signature of each of our keys; only then has it fetched them."""
    refused = [purpose for purpose in _ALGORITHMS if not _is_accepted(context, purpose)]
    if not refused:
        return passed("Epic accepts signatures with RS384 and with ES384.")
    key = context.endpoint.organization.signing_keys.active_for(context.endpoint.environment, refused[0]).get()
    since = key.activated_at or key.created_at
    names = " and ".join(algorithm_of(purpose) for purpose in refused)
    is_early = context.now - since < EPIC_TAKES
    until = written(since + EPIC_TAKES, style="day", zone_name=context.endpoint.organization.time_zone)
    return failed(
        f"Epic does not accept a signature with {names}. The keys were published {ago(since, now=context.now)} ago.",
        who=Fixer.ANALYST,
        todo=(f"Wait until {until}: new keys take Epic up to 24 hours. " if is_early else "")
        + "Check the JWK Set URL of the backend app in Epic, and that its client id is mapped to an Epic user.",
        code="epic.invalid_client",
        link=reverse("portal:keys"),
        link_label="Show the keys",
    )


def token(context: CheckContext) -> CheckResult:
    """Check that the backend app gets an access token."""
    body = _token(context, purpose_of(context.endpoint.assertion_algorithm))
    return passed(f"Epic issued a token that is valid for {body.get('expires_in', 'an unstated number of')} seconds.")


def _is_accepted(context: CheckContext, purpose: str) -> bool:
    try:
        _token(context, purpose)
    except ConfigurationError as error:
        if error.code != "epic.invalid_client":
            raise
        return False
    return True


def _token(context: CheckContext, purpose: str) -> dict[str, Any]:
    """Return Epic's token answer for the backend app with the key of this purpose, asked once."""
    return context.shared(f"token:{purpose}", lambda: _fetch_token(context, purpose))


def _fetch_token(context: CheckContext, purpose: str) -> dict[str, Any]:
    endpoint = context.endpoint
    usual = draft_connection(endpoint, Audience.BACKEND, smart=context.discovered().smart)
    key = client_key(endpoint, purpose=purpose)
    connection = replace(usual, key=key)
    body = request_token(context.session(), connection, {"grant_type": "client_credentials"}, now=timezone.now())
    confirm_key(key.key_id, now=context.now)
    return body


def _change(context: CheckContext) -> dict[str, str]:
    return {
        "link": reverse("portal:endpoint_edit", args=[context.endpoint.pk]),
        "link_label": "Change the FHIR base URL",
    }


CHECKS = (
    SetupCheck(name="client-ids", title="Client ids of the three apps", order=Group.KEYS, run=client_ids),
    SetupCheck(name="published-keys", title="Public keys", order=Group.KEYS + 10, run=published_keys),
    SetupCheck(name="keys-in-epic", title="Keys in Epic", order=Group.KEYS + 20, run=keys_in_epic),
    SetupCheck(name="epic-token", title="Access token from Epic", order=Group.KEYS + 30, run=token),
)

"""Subscriptions to a meeting's call events (beta), or a tenant's call records: checked, shaken hands on, renewed."""

import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from django.db import IntegrityError, transaction

from sandbox import ledger
from sandbox.graph import rich
from sandbox.graph.base import Caller
from sandbox.graph.errors import GraphError, bad_request, not_found
from sandbox.graph.times import graph_time, read_time
from sandbox.graph.wire import join_web_url
from sandbox.models import Meeting, Subscription

LONGEST_LIFE = timedelta(days=3)
LONGEST_LIFE_OF_RECORDS = timedelta(minutes=4_230)
# Microsoft checks against its own clock; a little slack spares callers whose clock runs ahead.
_CLOCK_SLACK = timedelta(minutes=1)
_NEEDS_LIFECYCLE_AFTER = timedelta(hours=1)
_HANDSHAKE_SECONDS = 10
_LONGEST_NAME = 128
_RECORDS = "communications/callRecords"
_RESOURCE = re.compile(
    r"/?communications/onlineMeetings\(joinWebUrl='(?P<url>[^']+)'\)/meetingCallEvents", re.IGNORECASE
)


@dataclass(frozen=True)
class _Request:
    """A checked subscription request."""

    meeting: Meeting | None
    resource: str
    notification_url: str
    lifecycle_url: str
    client_state: str
    expires_at: datetime
    certificate: str = ""
    certificate_id: str = ""


def subscribe(body: dict[str, Any], *, caller: Caller, now: datetime) -> Subscription:
    """Check the request, shake hands with both addresses, and store the subscription.

    :raises GraphError: 400 for a bad request or a failed handshake, 409 while the app has one for this meeting.
    """
    wanted = _read_records(body, now=now) if is_about_records(body) else _read(body, now=now)
    live = Subscription.objects.filter(app_id=caller.app_id, tenant_id=caller.tenant_id, meeting=wanted.meeting)
    live.filter(expires_at__lte=now).delete()
    if live.exists():
        raise _conflict()
    for url in filter(None, (wanted.notification_url, wanted.lifecycle_url)):
        shake_hands(url)
    try:
        with transaction.atomic():
            subscription = Subscription.objects.create(app_id=caller.app_id, tenant_id=caller.tenant_id, **vars(wanted))
    except IntegrityError as error:
        raise _conflict() from error
    ledger.record(
        "graph",
        "subscription_created",
        key=subscription.subject,
        subscription_id=str(subscription.id),
        url=wanted.notification_url,
    )
    return subscription


def renew(subscription: Subscription, body: dict[str, Any], *, now: datetime) -> Subscription:
    """Set a new expiry, and a new encryption certificate if one is given.

    :raises GraphError: 400.
    """
    unknown = body.keys() - {"expirationDateTime", "encryptionCertificate", "encryptionCertificateId", "clientState"}
    if unknown:
        raise bad_request(f"The property '{min(unknown)}' cannot be updated.")
    if "expirationDateTime" in body:
        subscription.expires_at = _expiry(body, now=now, longest=_longest(subscription))
    if "encryptionCertificate" in body or "encryptionCertificateId" in body:
        subscription.certificate, subscription.certificate_id = _certificate(body)
    subscription.client_state = str(body.get("clientState", subscription.client_state))
    subscription.save()
    ledger.record("graph", "subscription_renewed", key=subscription.subject, subscription_id=str(subscription.id))
    return subscription


def find(subscription_id: str, *, caller: Caller, now: datetime) -> Subscription:
    """Return the app's live subscription.

    :raises GraphError: 404, also for another app's.
    """
    found = (
        Subscription.objects.select_related("meeting")
        .filter(pk=subscription_id, app_id=caller.app_id, expires_at__gt=now)
        .first()
    )
    if found is None:
        raise not_found("The subscription")
    return found


def shake_hands(url: str) -> None:
    """Ask ``url`` to echo a token as plain text within ten seconds.

    :raises GraphError: 400 when it does not.
    """
    token = f"Validation: Testing client application reachability for subscription Request-Id: {secrets.token_hex(8)}"
    try:
        answer = requests.post(
            url,
            params={"validationToken": token},
            headers={"Content-Type": "text/plain; charset=utf-8"},
            timeout=_HANDSHAKE_SECONDS,
            allow_redirects=False,
        )
    except requests.Timeout as error:
        raise _handshake_failed("Subscription validation request timed out.") from error
    except requests.RequestException as error:
        raise _handshake_failed("Subscription validation request failed. The endpoint was not reached.") from error
    is_plain = answer.headers.get("Content-Type", "").split(";")[0].strip().lower() == "text/plain"
    if answer.status_code != requests.codes.ok:
        raise _handshake_failed("Subscription validation request failed. The endpoint has to answer 200 OK.")
    if not is_plain or answer.text != token:
        message = "Subscription validation request failed. The validation token was not returned as text/plain."
        raise _handshake_failed(message)


def is_about_records(body: dict[str, Any]) -> bool:
    """Tell whether a subscription is wanted to the tenant's call records."""
    return str(body.get("resource", "")).removeprefix("/") == _RECORDS


def subscription_json(subscription: Subscription) -> dict[str, Any]:
    """Return the subscription resource."""
    return {
        "@odata.context": "https://graph.microsoft.com/$metadata#subscriptions/$entity",
        "id": str(subscription.id),
        "resource": subscription.resource,
        "applicationId": subscription.app_id,
        "changeType": "updated",
        "clientState": subscription.client_state or None,
        "notificationUrl": subscription.notification_url,
        "lifecycleNotificationUrl": subscription.lifecycle_url or None,
        "expirationDateTime": graph_time(subscription.expires_at),
        "creatorId": subscription.app_id,
        "includeResourceData": bool(subscription.certificate),
        "latestSupportedTlsVersion": "v1_2",
        "encryptionCertificate": subscription.certificate or None,
        "encryptionCertificateId": subscription.certificate_id or None,
    }


def _read(body: dict[str, Any], *, now: datetime) -> _Request:
    if body.get("changeType") != "updated":
        raise bad_request("changeType has to be 'updated' for this resource.")
    if body.get("includeResourceData") is not True:
        # Basic notifications carry an id that no API reads back; the twin does not offer them.
        raise bad_request("includeResourceData has to be true for this resource.")
    certificate, certificate_id = _certificate(body)
    expires_at = _expiry(body, now=now, longest=LONGEST_LIFE)
    if not body.get("lifecycleNotificationUrl") and expires_at - now > _NEEDS_LIFECYCLE_AFTER:
        message = (
            "lifecycleNotificationUrl is a required property for subscription creation on this resource "
            "when the expirationDateTime value is set to greater than 1 hour"
        )
        raise bad_request(message)
    return _Request(
        meeting=_meeting(str(body.get("resource", ""))),
        certificate=certificate,
        certificate_id=certificate_id,
        **_common(body, expires_at),
    )


def _read_records(body: dict[str, Any], *, now: datetime) -> _Request:
    kinds = set(str(body.get("changeType", "")).split(","))
    if kinds - {"created", "updated"}:
        raise bad_request("changeType has to be 'created' or 'updated' for this resource.")
    if body.get("includeResourceData"):
        raise bad_request("This resource supports no resource data in notifications.")
    return _Request(meeting=None, **_common(body, _expiry(body, now=now, longest=LONGEST_LIFE_OF_RECORDS)))


def _common(body: dict[str, Any], expires_at: datetime) -> dict[str, Any]:
    client_state = str(body.get("clientState") or "")
    if len(client_state) > _LONGEST_NAME:
        raise bad_request("clientState has at most 128 characters.")
    return {
        "resource": str(body.get("resource", "")).removeprefix("/"),
        "notification_url": _url(body, "notificationUrl"),
        "lifecycle_url": _url(body, "lifecycleNotificationUrl") if body.get("lifecycleNotificationUrl") else "",
        "client_state": client_state,
        "expires_at": expires_at,
    }


def _meeting(resource: str) -> Meeting:
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        raise bad_request(f"Resource '{resource}' is not supported.")
    # The join address is percent-encoded already and has to be encoded once more.
    url = unquote(match["url"])
    thread = unquote(url.partition("/meetup-join/")[2].partition("/")[0])
    meeting = Meeting.objects.filter(thread_id=thread).first()
    if meeting is None or join_web_url(meeting) != url:
        raise bad_request("The joinWebUrl of the resource is unknown, or is not encoded twice.")
    return meeting


def _certificate(body: dict[str, Any]) -> tuple[str, str]:
    encoded, name = str(body.get("encryptionCertificate") or ""), str(body.get("encryptionCertificateId") or "")
    if not encoded or not 0 < len(name) <= _LONGEST_NAME:
        raise bad_request("encryptionCertificate and encryptionCertificateId (at most 128 characters) are required.")
    try:
        rich.load_certificate(encoded)
    except ValueError as error:
        raise bad_request(f"The encryptionCertificate cannot be used: {error}.") from error
    return encoded, name


def _longest(subscription: Subscription) -> timedelta:
    return LONGEST_LIFE if subscription.meeting else LONGEST_LIFE_OF_RECORDS


def _expiry(body: dict[str, Any], *, now: datetime, longest: timedelta) -> datetime:
    expires_at = read_time(body.get("expirationDateTime"), name="expirationDateTime")
    if expires_at <= now:
        raise bad_request("Subscription expiration has to be in the future.")
    if expires_at > now + longest + _CLOCK_SLACK:
        minutes = longest // timedelta(minutes=1)
        raise bad_request(f"Subscription expiration can only be {minutes} minutes in the future.")
    return expires_at


def _url(body: dict[str, Any], name: str) -> str:
    url = str(body.get(name) or "")
    parts = urlsplit(url)
    is_allowed = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not is_allowed or not parts.hostname:
        raise bad_request(f"{name} has to be an https address.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _conflict() -> GraphError:
    return GraphError(409, "Conflict", "A subscription of this application to this resource exists already.")


def _handshake_failed(message: str) -> GraphError:
    return GraphError(400, "ValidationError", message)

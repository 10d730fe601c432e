"""Find out whether a notification is really from Graph and about one of our subscriptions, and what it says.

What happened in a meeting comes encrypted and with a signed token. That a call has a record comes with neither, and
says no more than an id: there the subscription's secret is the proof.
All or nothing: one part of an envelope that does not hold spoils it, since Graph sends no such thing.
"""

import hmac
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from config_portal.models import SigningKey
from core.errors import InvalidMessage
from core.http import shared_session
from meetings.models import RecordSubscription, Subscription
from meetings.providers.base import CallEvent
from meetings.providers.teams.decrypt import open_content
from meetings.providers.teams.payloads import read_event
from meetings.providers.teams.validation import Addressee, verify_token
from meetings.services.suppliers import token_issuer

UNKNOWN_SUBSCRIPTION = "notification.unknown_subscription"
# Subscriptions live three days and deliveries are repeated for four hours: a retired key is needed no longer.
RETIRED_KEYS_OPEN_FOR = timedelta(days=7)
MOST_TOKENS = 20


@dataclass(frozen=True, kw_only=True)
class VerifiedChange:
    """One verified entry: an event of a meeting, the id of a call's record, or news about the subscription itself."""

    subscription: Subscription | RecordSubscription
    event: CallEvent | None = None
    record_id: uuid.UUID | None = None
    lifecycle_event: str = ""


def open_envelope(envelope: dict[str, Any], *, received_at: datetime) -> list[VerifiedChange]:
    """Verify everything in ``envelope`` and return what it says.

    :raises InvalidMessage: with the first thing that does not hold: ``notification.unknown_subscription``,
        ``.client_state``, ``.token_missing``, ``.token_…``, ``.unknown_certificate``, ``.thumbprint``,
        ``.data_key``, ``.signature``, ``.unreadable`` or ``.unknown_event``.
    :raises UpstreamUnavailable: the keys of Entra cannot be had now.
    """
    entries = [(value, _subscription_of(value)) for value in envelope["value"]]
    addressees = _verify_tokens(
        envelope.get("validationTokens") or [],
        expected={_addressee(subscription) for _, subscription in entries},
        received_at=received_at,
    )
    return [_read(value, subscription, addressees, received_at=received_at) for value, subscription in entries]


def _subscription_of(value: dict[str, Any]) -> Subscription | RecordSubscription:
    """Return the subscription that ``value`` claims to come from and whose secret it knows."""
    graph_id = str(value.get("subscriptionId") or "")
    subscription = _known(graph_id) if graph_id else None
    if subscription is None:
        raise InvalidMessage(UNKNOWN_SUBSCRIPTION)
    given = str(value.get("clientState") or "")
    if not hmac.compare_digest(given.encode(), subscription.client_state.encode()):
        raise InvalidMessage("notification.client_state")
    return subscription


def _known(graph_id: str) -> Subscription | RecordSubscription | None:
    of_meetings = Subscription.objects.select_related("meeting__visit__endpoint", "meeting__organization")
    of_records = RecordSubscription.objects.select_related("tenant")
    return of_meetings.filter(graph_id=graph_id).first() or of_records.filter(graph_id=graph_id).first()


def _addressee(subscription: Subscription | RecordSubscription) -> Addressee:
    if isinstance(subscription, RecordSubscription):
        return Addressee(tenant_id=str(subscription.tenant.tenant_id), client_id=str(subscription.client_id))
    meeting = subscription.meeting
    return Addressee(tenant_id=str(meeting.tenant_id), client_id=str(meeting.client_id))


def _verify_tokens(tokens: object, *, expected: Collection[Addressee], received_at: datetime) -> set[Addressee]:
    if not isinstance(tokens, list) or len(tokens) > MOST_TOKENS:
        raise InvalidMessage("notification.unreadable", detail="validationTokens")
    issuer, session = token_issuer(), shared_session()
    return {
        verify_token(str(token), issuer=issuer, addressees=expected, session=session, received_at=received_at)
        for token in tokens
    }


def _read(
    value: dict[str, Any],
    subscription: Subscription | RecordSubscription,
    addressees: set[Addressee],
    *,
    received_at: datetime,
) -> VerifiedChange:
    lifecycle_event = value.get("lifecycleEvent")
    if lifecycle_event:
        # Graph documents no token for these; they carry no data and only make us look after a subscription.
        return VerifiedChange(subscription=subscription, lifecycle_event=str(lifecycle_event)[:60])
    if isinstance(subscription, RecordSubscription):
        return VerifiedChange(subscription=subscription, record_id=_record_id(value, subscription))
    if _addressee(subscription) not in addressees:
        raise InvalidMessage("notification.token_missing")
    content = value.get("encryptedContent")
    if not isinstance(content, dict):
        raise InvalidMessage("notification.unreadable", detail="encryptedContent")
    key = _key(content, subscription, received_at=received_at)
    opened = open_content(content, private_key=key.private_key, certificate=key.certificate)
    return VerifiedChange(subscription=subscription, event=read_event(opened, received_at=received_at))


def _record_id(value: dict[str, Any], subscription: RecordSubscription) -> uuid.UUID:
    """Return the id of the record that ``value`` is about, if it is one of the subscription's tenant."""
    try:
        record_id = uuid.UUID(str(value["resourceData"]["id"]))
        tenant_id = uuid.UUID(str(value["tenantId"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidMessage("notification.unreadable", detail="resourceData") from error
    if tenant_id != subscription.tenant.tenant_id:
        raise InvalidMessage("notification.unreadable", detail="tenantId")
    return record_id


def _key(content: dict[str, Any], subscription: Subscription, *, received_at: datetime) -> SigningKey:
    """Return the key pair that the content says it was encrypted for, if it is ours and not long retired."""
    key = SigningKey.objects.filter(
        Q(retired_at=None) | Q(retired_at__gt=received_at - RETIRED_KEYS_OPEN_FOR),
        organization=subscription.meeting.organization,
        purpose=SigningKey.Purpose.NOTIFICATION,
        key_id=str(content.get("encryptionCertificateId") or ""),
    ).first()
    if key is None:
        raise InvalidMessage("notification.unknown_certificate")
    return key

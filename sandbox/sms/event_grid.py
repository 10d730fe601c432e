"""Event Grid: tells the customer's webhook about delivery reports and inbound texts of ACS.

Schema and handshake of the "Event Grid event schema" (checked November 2026). A webhook is asked to echo a
validation code before it gets anything; events are not ordered and each is repeated for up to a day.
"""

import logging
import secrets
import threading
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import Any

import requests

from sandbox import faults, ledger, setup
from sandbox.courier import Policy, courier, is_taken
from sandbox.models import Text
from sandbox.sms import segments
from sandbox.sms.network import Fate

logger = logging.getLogger(__name__)

TOPIC = (
    "/subscriptions/22222222-3333-4444-8555-666666666666/resourceGroups/lamna/providers"
    "/Microsoft.Communication/CommunicationServices/lamna-texts"
)
_DAY = Policy(tries=30, age_seconds=24 * 3600)
_ANSWER_SECONDS = 30
_LATE_SECONDS = 3.0

_validated: set[str] = set()
_validating = threading.Lock()


def send_report(text: Text, fate: Fate) -> None:
    """Queue the delivery report of ``text``, if the sender asked for one."""
    if not text.wants_report:
        return
    now = _timestamp()
    data: dict[str, Any] = {
        "messageId": text.message_id,
        # The documented sample has the sender without and the recipient with its plus sign.
        "from": text.number.removeprefix("+"),
        "to": text.phone,
        "deliveryStatus": "Delivered" if fate.is_delivered else "Failed",
        "deliveryStatusDetails": fate.acs_details,
        "receivedTimestamp": now,
        "deliveryAttempts": [_attempt(text, fate, at=now)],
    }
    if text.tag:
        data["Tag"] = text.tag
    event = _event("Microsoft.Communication.SMSDeliveryReportReceived", text.message_id, text.phone, data)
    _queue(event, text=text, kind="report_sent")


def send_inbound(text: Text) -> None:
    """Queue an inbound text; both numbers are without plus sign, as documented."""
    data = {
        "messageId": text.message_id,
        "from": text.phone.removeprefix("+"),
        "to": text.number.removeprefix("+"),
        "message": text.body,
        "receivedTimestamp": _timestamp(),
        "segmentCount": segments.count(text.body),
    }
    event = _event("Microsoft.Communication.SMSReceived", text.message_id, text.number, data)
    _queue(event, text=text, kind="inbound_sent")


def validate(url: str) -> bool:
    """Shake hands with a webhook: it has to echo a code. Remembers those that did."""
    with _validating:
        if url in _validated:
            return True
        code = str(uuid.uuid4()).upper()
        data = {"validationCode": code, "validationUrl": f"https://rp-eastus.eventgrid.example.org/?id={code}"}
        event = _event("Microsoft.EventGrid.SubscriptionValidationEvent", str(uuid.uuid4()), "", data)
        answer = _post(url, event, kind="SubscriptionValidation")
        is_valid = answer is not None and answer.status_code == requests.codes.ok and _echo(answer) == code
        ledger.record("acs", "webhook_validated" if is_valid else "webhook_refused", key="", url=url)
        if is_valid:
            _validated.add(url)
        return is_valid


def _queue(event: dict[str, Any], *, text: Text, kind: str) -> None:
    fault = faults.get("acs.reports")
    if fault == "drop":
        return
    letter = partial(_deliver, event, text.phone, kind)
    for _ in range(2 if fault == "duplicate" else 1):
        addressee = f"event-grid:{event['id']}:{secrets.token_hex(4)}"
        courier.send(addressee, letter, policy=_DAY, delay=_LATE_SECONDS if fault == "late" else 0.0)


def _deliver(event: dict[str, Any], phone: str, kind: str) -> bool:
    url = setup.current().get("acs", {}).get("event_webhook_url", "")
    if not url:
        return True
    if not validate(url):
        return False
    answer = _post(url, event, kind="Notification")
    status = answer.status_code if answer is not None else 0
    data = event["data"]
    ledger.record(
        "acs",
        kind,
        key=phone,
        message_id=data["messageId"],
        status=data.get("deliveryStatus", ""),
        http_status=status,
    )
    return is_taken(status)


def _post(url: str, event: dict[str, Any], *, kind: str) -> requests.Response | None:
    header = setup.current().get("acs", {}).get("event_webhook_header") or {}
    headers = {"aeg-event-type": kind, "aeg-subscription-name": "LAMNA-TEXTS", "aeg-data-version": "1.0"}
    if header:
        headers[header["name"]] = header["value"]
    try:
        return requests.post(url, json=[event], headers=headers, timeout=_ANSWER_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        logger.warning("an event was not taken: %s", type(error).__name__)
        return None


def _echo(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return ""
    return str(body.get("validationResponse", "")) if isinstance(body, dict) else ""


def _event(kind: str, event_id: str, number: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": event_id,
        "topic": TOPIC,
        "subject": f"/phonenumber/{number.removeprefix('+')}" if number else "",
        "data": data,
        "eventType": kind,
        "dataVersion": "1.0",
        "metadataVersion": "1",
        "eventTime": _timestamp(),
    }


def _attempt(text: Text, fate: Fate, *, at: str) -> dict[str, Any]:
    parts = segments.count(text.body)
    return {
        "timestamp": at,
        "segmentsSucceeded": parts if fate.is_delivered else 0,
        "segmentsFailed": 0 if fate.is_delivered else parts,
    }


def _timestamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")

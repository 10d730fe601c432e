"""Azure Communication Services SMS, REST API 2026-01-23.

Documentation: learn.microsoft.com/rest/api/communication/sms, …/azure/communication-services/resources/
troubleshooting/voice-video-calling/troubleshooting-codes (SMS error codes); events:
learn.microsoft.com/azure/event-grid/communication-services-telephony-sms-events. Checked 2026-11-24.

A repeated request with the same ``repeatabilityRequestId`` and first-sent time is one text, so asking
again is how an unanswered call is settled.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from core.errors import ConfigurationError, UpstreamUnavailable
from core.http import HttpCall, call, json_object, raise_for_status
from sms.providers.base import (
    Acceptance,
    CodeMeaning,
    Delivery,
    DeliveryReport,
    Fault,
    IncomingText,
    OutgoingText,
    Reason,
    TextRefused,
)

API_VERSION = "2026-01-23"
SYSTEM = "acs"
TOKEN_SCOPE = "https://communication.azure.com//.default"  # noqa: S105 - two slashes, as Azure documents it
_ACCEPTED, _OK = 202, 200
_NOT_AUTHORIZED = (401, 403)
_TOO_MANY, _SERVER_ERROR = 429, 500

VALIDATION_EVENT = "Microsoft.EventGrid.SubscriptionValidationEvent"
_REPORT_EVENT = "Microsoft.Communication.SMSDeliveryReportReceived"
_INCOMING_EVENT = "Microsoft.Communication.SMSReceived"
_DELIVERED = "2000"

# First four digits of deliveryStatusDetails; another one is an "other error" and logged.
CODES: Mapping[str, CodeMeaning] = {
    _DELIVERED: CodeMeaning(Fault.NONE, Reason.NONE),
    "4000": CodeMeaning(Fault.FILTERED, Reason.SPAM),
    "4001": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "4002": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "4003": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "4004": CodeMeaning(Fault.PERMANENT, Reason.NO_SUCH_NUMBER),
    "4005": CodeMeaning(Fault.FILTERED, Reason.BLOCKED_NUMBER),
    "4006": CodeMeaning(Fault.UNREACHABLE, Reason.UNREACHABLE),
    "4007": CodeMeaning(Fault.OPTED_OUT, Reason.BLOCKED_BY_RECIPIENT),
    "4008": CodeMeaning(Fault.BUSY),
    "4009": CodeMeaning(Fault.FILTERED, Reason.SPAM),
    "4010": CodeMeaning(Fault.ACCOUNT),
    "4020": CodeMeaning(Fault.DAY_CAP, Reason.SPAM),
    "5000": CodeMeaning(Fault.UNREACHABLE),
    "5001": CodeMeaning(Fault.UNREACHABLE, Reason.UNREACHABLE),
    "5002": CodeMeaning(Fault.UNREACHABLE, Reason.UNREACHABLE),
    "9999": CodeMeaning(Fault.UNREACHABLE),
}
_UNKNOWN_CODE = CodeMeaning(Fault.PERMANENT)


class AcsResource:
    """One resource of Azure Communication Services, called with its access key (HMAC-SHA256) or an Entra token."""

    def __init__(self, *, endpoint: str, access_key: str = "", token: Callable[[], str] | None = None) -> None:
        """Take the resource's ``endpoint`` and either its key or a function that returns an Entra token."""
        self._endpoint = endpoint.rstrip("/")
        self._key = base64.b64decode(access_key)
        self._token = token

    def request(self, method: str, path: str, body: object = None, *, version: str) -> HttpCall:
        """Return the call of the operation at ``path``, of one version of the interface, ready to be made."""
        url = f"{self._endpoint}{path}?api-version={version}"
        content = b"" if body is None else json.dumps(body).encode()
        if self._token is not None:
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"}
        else:
            headers = sign(method, url, content, key=self._key, at=datetime.now(UTC))
        return HttpCall(method=method, url=url, headers=headers, body=content)


class AcsProvider:
    """Sends through one ACS resource."""

    name = SYSTEM
    is_idempotent = True  # by repeatabilityRequestId
    network_words = frozenset({"stop", "start", "unstop"})
    usual_per_minute = 200  # toll-free; "SMS FAQ", 2026

    def __init__(self, session: requests.Session, resource: AcsResource) -> None:
        self._session = session
        self._resource = resource

    def request(self, text: OutgoingText) -> HttpCall:
        """Return the call that hands ``text`` over; see :class:`sms.providers.base.SmsProvider`."""
        recipient = {
            "to": text.to,
            "repeatabilityRequestId": str(text.key),
            "repeatabilityFirstSent": format_datetime(text.first_sent_at.astimezone(UTC), usegmt=True),
        }
        # The tag travels through Event Grid, a global service: an opaque id and nothing else.
        options: dict[str, Any] = {"enableDeliveryReport": bool(text.reference)}
        if text.reference:
            options["tag"] = text.reference
        body = {"from": text.sender, "smsRecipients": [recipient], "message": text.body, "smsSendOptions": options}
        return self._resource.request("POST", "/sms", body, version=API_VERSION)

    def read(self, response: requests.Response) -> Acceptance:
        """Return the acceptance in an answer: a refusal of the recipient arrives inside a 202."""
        self._check(response)
        recipient = (json_object(response, system=SYSTEM).get("value") or [{}])[0]
        status = int(recipient.get("httpStatusCode", 0))
        if status == _ACCEPTED:
            return Acceptance(message_id=str(recipient["messageId"]))
        raise _refusal(status, str(recipient.get("errorMessage") or ""))

    def send(self, text: OutgoingText) -> Acceptance:
        """Hand one text over."""
        return self.read(call(self._session, self.request(text), system=SYSTEM))

    def settle(self, text: OutgoingText, *, known_ids: Collection[str] = ()) -> Acceptance | None:
        """Repeat the call: Azure answers with the first one's result, or takes the text now."""
        return self.send(text)

    def block(self, *, sender: str, phone: str) -> bool:
        """Add an opt-out to the number's list at Azure."""
        self._change_opt_outs("add", sender=sender, phone=phone)
        return True

    def unblock(self, *, sender: str, phone: str) -> bool:
        """Remove an opt-out from the number's list at Azure."""
        self._change_opt_outs("remove", sender=sender, phone=phone)
        return True

    def is_blocked(self, *, sender: str, phone: str) -> bool:
        """Ask Azure whether ``phone`` has opted out of ``sender``."""
        return bool(self._change_opt_outs("check", sender=sender, phone=phone).get("isOptedOut"))

    def _change_opt_outs(self, action: str, *, sender: str, phone: str) -> dict[str, Any]:
        body = {"from": sender, "recipients": [{"to": phone}]}
        wanted = self._resource.request("POST", f"/sms/optouts:{action}", body, version=API_VERSION)
        response = call(self._session, wanted, system=SYSTEM)
        self._check(response)
        result: dict[str, Any] = (json_object(response, system=SYSTEM).get("value") or [{}])[0]
        status = int(result.get("httpStatusCode", 0))
        if status != _OK:
            raise _refusal(status, str(result.get("errorMessage") or ""))
        return result

    def _check(self, response: requests.Response) -> None:
        if response.status_code in _NOT_AUTHORIZED:
            raise ConfigurationError("acs.not_authorized", "Azure refuses the credentials or the sender's number.")
        raise_for_status(response, system=SYSTEM)


def sign(method: str, url: str, body: bytes, *, key: bytes, at: datetime) -> dict[str, str]:
    """Return the headers of a signed request.

    Signed are verb, path with query, date, host and the SHA-256 of the body, in the form ACS asks for.
    """
    address = urlsplit(url)
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    date = format_datetime(at, usegmt=True)
    path = f"{address.path}?{address.query}" if address.query else address.path
    signed = f"{method}\n{path}\n{date};{address.netloc};{digest}"
    signature = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": (f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"),
    }


def parse_report(event: dict[str, Any]) -> DeliveryReport | None:
    """Return the delivery report in an Event Grid event, or None when it is about something else.

    :raises KeyError: a report without what every report has.
    """
    if event.get("eventType") != _REPORT_EVENT:
        return None
    data = event["data"]
    code = str(data.get("deliveryStatusDetails", ""))[:4]
    is_delivered = data.get("deliveryStatus") == "Delivered"
    meaning = CODES[_DELIVERED] if is_delivered else CODES.get(code, _UNKNOWN_CODE)
    return DeliveryReport(
        event_id=str(event["id"]),
        message_id=str(data["messageId"]),
        delivery=Delivery.DELIVERED if is_delivered or code == _DELIVERED else Delivery.UNDELIVERED,
        code=code,
        at=datetime.fromisoformat(str(data["receivedTimestamp"])),
        key=str(data.get("Tag") or data.get("tag") or ""),  # documentation and SDK disagree about the case
        fault=meaning.fault,
        reason=meaning.reason,
    )


def parse_incoming(event: dict[str, Any]) -> IncomingText | None:
    """Return the text in an Event Grid event, or None when it is about something else.

    :raises KeyError: a text without sender or recipient.
    """
    if event.get("eventType") != _INCOMING_EVENT:
        return None
    data = event["data"]
    return IncomingText(
        event_id=str(event["id"]),
        sender=_with_plus(str(data["from"])),
        recipient=_with_plus(str(data["to"])),
        body=str(data.get("message", "")),
    )


def _refusal(status: int, message: str) -> Exception:
    """Return the error for one recipient's status."""
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        return UpstreamUnavailable("acs.throttled", detail=f"recipient status {status}")
    if status in _NOT_AUTHORIZED:
        return ConfigurationError("acs.not_authorized", "Azure refuses the sender's number.")
    if "blocked" in message.lower():
        return TextRefused("sms.opted_out", meaning=CODES["4007"], supplier_code="4007", status=status)
    meaning = CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER if "To" in message else Reason.OTHER_ERROR)
    return TextRefused("acs.recipient_rejected", meaning=meaning, supplier_code=str(status), status=status)


def _with_plus(number: str) -> str:
    return number if number.startswith("+") else f"+{number}"

"""Twilio Programmable Messaging, REST API 2010-04-01.

Documentation: twilio.com/docs/messaging/api/message-resource, …/usage/security, …/api/errors (checked
2026-11-24). Twilio does not recognise repeated posts, so an unanswered one is ``OutcomeUnknown``; the receipt
address carries our key and usually settles it, else the list of messages does.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamUnavailable
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
    words_index,
)

SYSTEM = "twilio"
_NOT_AUTHORIZED = (401, 403)
_CLIENT_ERROR, _TOO_MANY, _SERVER_ERROR, _UNAVAILABLE = 400, 429, 500, 503
_LONGEST_VALIDITY = 36_000
_CLOCKS_DIFFER = timedelta(minutes=2)
_PAGE = "1000"  # the most there is; a patient's phone fills none

_STATUSES = {
    "accepted": Delivery.SENT,
    "scheduled": Delivery.SENT,
    "queued": Delivery.SENT,
    "sending": Delivery.SENT,
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.DELIVERED,
    "undelivered": Delivery.UNDELIVERED,
    "failed": Delivery.UNDELIVERED,
    "canceled": Delivery.UNDELIVERED,
}

# Twilio changes codes without notice; another one counts as permanent and is logged.
CODES: Mapping[str, CodeMeaning] = {
    "20003": CodeMeaning(Fault.ACCOUNT),
    "20429": CodeMeaning(Fault.BUSY),
    "20503": CodeMeaning(Fault.BUSY),
    "21211": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "21408": CodeMeaning(Fault.ACCOUNT),
    "21606": CodeMeaning(Fault.ACCOUNT),
    "21610": CodeMeaning(Fault.OPTED_OUT, Reason.BLOCKED_BY_RECIPIENT),
    "21611": CodeMeaning(Fault.BUSY),
    "21612": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "21614": CodeMeaning(Fault.PERMANENT, Reason.INVALID_NUMBER),
    "21703": CodeMeaning(Fault.ACCOUNT),
    "30001": CodeMeaning(Fault.BUSY),
    "30002": CodeMeaning(Fault.ACCOUNT),
    "30003": CodeMeaning(Fault.UNREACHABLE, Reason.UNREACHABLE),
    "30004": CodeMeaning(Fault.FILTERED, Reason.RECIPIENT_BLOCKED),
    "30005": CodeMeaning(Fault.PERMANENT, Reason.NO_SUCH_NUMBER),
    "30006": CodeMeaning(Fault.PERMANENT, Reason.UNREACHABLE),
    "30007": CodeMeaning(Fault.FILTERED, Reason.SPAM),
    "30008": CodeMeaning(Fault.UNREACHABLE),
    "30017": CodeMeaning(Fault.BUSY),
    "30022": CodeMeaning(Fault.BUSY),
    "30023": CodeMeaning(Fault.DAY_CAP),
    "30027": CodeMeaning(Fault.DAY_CAP),
    "30032": CodeMeaning(Fault.ACCOUNT, Reason.BLOCKED_NUMBER),
    "30034": CodeMeaning(Fault.ACCOUNT, Reason.BLOCKED_NUMBER),
    "63018": CodeMeaning(Fault.BUSY),
}
_UNKNOWN_CODE = CodeMeaning(Fault.PERMANENT)
_NO_CODE = CodeMeaning(Fault.UNREACHABLE)


class TwilioProvider:
    """Sends through one Twilio account, from a number or a Messaging Service."""

    name = SYSTEM
    is_idempotent = False
    network_words = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "start", "yes", "unstop"})
    usual_per_minute = 180  # toll-free: 3 message segments a second

    def __init__(self, session: requests.Session, *, base_url: str, account_sid: str, auth_token: str) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._url = f"{self._base_url}/2010-04-01/Accounts/{account_sid}/Messages.json"
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = {"Authorization": f"Basic {credentials}"}

    def request(self, text: OutgoingText) -> HttpCall:
        """Return the call that hands ``text`` over; see :class:`sms.providers.base.SmsProvider`."""
        sender = ("MessagingServiceSid", text.messaging_service) if text.messaging_service else ("From", text.sender)
        form = dict([("To", text.to), sender, ("Body", text.body)])
        if text.receipt_url:
            form["StatusCallback"] = text.receipt_url
        if text.valid_seconds:
            form["ValidityPeriod"] = str(min(max(text.valid_seconds, 1), _LONGEST_VALIDITY))
        headers = {**self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
        return HttpCall(method="POST", url=self._url, headers=headers, body=urlencode(form).encode())

    def read(self, response: requests.Response) -> Acceptance:
        """Return the acceptance in an answer.

        A server error may come after the text was taken ("20500: retrying may send it twice"), so only a
        plain 503 is taken for "not accepted".
        """
        status = response.status_code
        if status in _NOT_AUTHORIZED:
            raise ConfigurationError("twilio.not_authorized", "Twilio refuses the account or its token.")
        if status >= _SERVER_ERROR and status != _UNAVAILABLE:
            raise OutcomeUnknown("twilio.failing", detail=f"HTTP {status}")
        if _CLIENT_ERROR <= status < _SERVER_ERROR and status != _TOO_MANY:
            raise _refusal(response)
        raise_for_status(response, system=SYSTEM)
        return Acceptance(message_id=str(json_object(response, system=SYSTEM)["sid"]))

    def send(self, text: OutgoingText) -> Acceptance:
        """Hand one text over."""
        return self.read(call(self._session, self.request(text), system=SYSTEM))

    def settle(self, text: OutgoingText, *, known_ids: Collection[str] = ()) -> Acceptance | None:
        """Look for the text in the account's list of messages: same phone, the words handed over, made since.

        Twilio's filters name the day a message was *sent* and its sender. A message that still waits in Twilio's
        queue has no such day, and one through a Messaging Service no sender yet, so only the phone is asked for.
        """
        since = text.first_sent_at.astimezone(UTC) - _CLOCKS_DIFFER
        for message in self._messages_to(text.to):
            if message["sid"] not in known_ids and _is_this(message, text, since=since):
                return Acceptance(message_id=str(message["sid"]))
        return None

    def _messages_to(self, phone: str) -> Iterator[Mapping[str, Any]]:
        url = f"{self._url}?{urlencode({'To': phone, 'PageSize': _PAGE})}"
        while url:
            response = call(self._session, HttpCall(method="GET", url=url, headers=self._authorization), system=SYSTEM)
            raise_for_status(response, system=SYSTEM)
            page = json_object(response, system=SYSTEM)
            yield from page.get("messages", [])
            url = f"{self._base_url}{page['next_page_uri']}" if page.get("next_page_uri") else ""

    def block(self, *, sender: str, phone: str) -> bool:
        """Do nothing: only a phone itself can opt out at Twilio."""
        return False

    def unblock(self, *, sender: str, phone: str) -> bool:
        """Do nothing: only a phone itself can opt in again at Twilio."""
        return False


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Return the value of ``X-Twilio-Signature`` for a form posted to ``url``.

    HMAC-SHA1 over the full address followed by every name and value in the order of names.
    """
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def is_signed(given: str, *, auth_token: str, url: str, form: Mapping[str, str]) -> bool:
    """Return whether ``given`` is Twilio's signature of this form at this address, with or without its port."""
    return any(hmac.compare_digest(signature(auth_token, each, form), given) for each in _spellings(url))


def parse_report(form: Mapping[str, str], *, at: datetime) -> DeliveryReport:
    """Return the status in a callback; an unknown status stays ``unknown``.

    :raises KeyError: when it is no status callback.
    """
    status = form["MessageStatus"]
    code = form.get("ErrorCode", "")
    delivery = _STATUSES.get(status, Delivery.UNKNOWN)
    meaning = CodeMeaning(Fault.NONE, Reason.NONE)
    if delivery == Delivery.UNDELIVERED:
        meaning = CODES.get(code, _UNKNOWN_CODE) if code else _NO_CODE
    return DeliveryReport(
        event_id=f"{form['MessageSid']}:{status}",
        message_id=form["MessageSid"],
        delivery=delivery,
        code=code,
        at=at,
        fault=meaning.fault,
        reason=meaning.reason,
    )


def parse_incoming(form: Mapping[str, str]) -> IncomingText:
    """Return the text that a patient sent.

    :raises KeyError: when it is no incoming message.
    """
    return IncomingText(
        event_id=form["MessageSid"],
        sender=form["From"],
        recipient=form["To"],
        body=form.get("Body", ""),
        is_answered="OptOutType" in form,  # a Messaging Service with Advanced Opt-Out has answered
    )


def _refusal(response: requests.Response) -> Exception:
    code = str(json_object(response, system=SYSTEM).get("code", ""))
    meaning = CODES.get(code, _UNKNOWN_CODE)
    if meaning.fault in {Fault.BUSY, Fault.DAY_CAP}:
        return UpstreamUnavailable("twilio.throttled", detail=f"Twilio error {code}")
    if meaning.fault == Fault.ACCOUNT:
        return ConfigurationError("twilio.number_refused", "Twilio refuses the number.", detail=f"Twilio error {code}")
    name = "sms.opted_out" if meaning.fault == Fault.OPTED_OUT else "twilio.rejected"
    return TextRefused(name, meaning=meaning, supplier_code=code, status=response.status_code)


def _is_this(message: Mapping[str, Any], text: OutgoingText, *, since: datetime) -> bool:
    wanted = text.handed_over_as or words_index(text.body)
    is_same = message.get("to") == text.to and words_index(str(message.get("body"))) == wanted
    return is_same and parsedate_to_datetime(str(message["date_created"])) >= since


def _spellings(url: str) -> set[str]:
    """Return ``url`` as it is, with its standard port and without any: Twilio signs one of them."""
    parts = urlsplit(url)
    standard = 443 if parts.scheme == "https" else 80
    hosts = {parts.netloc, parts.hostname or "", f"{parts.hostname}:{parts.port or standard}"}
    return {urlunsplit(parts._replace(netloc=host)) for host in hosts}

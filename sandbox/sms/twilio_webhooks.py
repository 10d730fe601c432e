"""Twilio's calls to the customer: status callbacks and inbound texts, signed with ``X-Twilio-Signature``."""

import logging
from functools import partial

import requests

from sandbox import faults, ledger, setup
from sandbox.courier import Policy, courier
from sandbox.models import Supplier, Text
from sandbox.sms import network, numbers, segments, signatures

logger = logging.getLogger(__name__)

API_VERSION = "2010-04-01"
# Twilio repeats a callback once at most, and only when it could not connect.
_TWICE = Policy(tries=2, age_seconds=60)
_ANSWER_SECONDS = 15
_LATE_SECONDS = 3.0


def send_status(text: Text, fate: network.Fate) -> None:
    """Queue the callbacks of a text that was sent and then delivered or not."""
    steps = [("sent", None), ("delivered", None) if fate.is_delivered else ("undelivered", fate.twilio_error)]
    fault = faults.get("twilio.reports")
    if fault == "drop" or not text.status_callback:
        return
    for status, error in steps:
        letter = partial(_deliver_status, text.pk, status, error)
        for _ in range(2 if fault == "duplicate" else 1):
            delay = _LATE_SECONDS if fault == "late" or (fault == "reorder" and status == "sent") else 0.0
            courier.send(
                f"twilio:{text.message_id}:{status if fault == 'reorder' else ''}", letter, policy=_TWICE, delay=delay
            )


def send_inbound(text: Text) -> None:
    """Queue an inbound text for the ``SmsUrl`` of the number it was sent to."""
    number = numbers.find(text.number, supplier=Supplier.TWILIO)
    if number is not None and number.sms_url:
        letter = partial(_deliver_inbound, text.pk, number.sms_url)
        courier.send(f"twilio:{text.message_id}", letter, policy=_TWICE)


def _deliver_status(text_pk: int, status: str, error: int | None) -> bool:
    text = Text.objects.get(pk=text_pk)
    fields = {
        "MessageSid": text.message_id,
        "MessageStatus": status,
        "SmsSid": text.message_id,
        "SmsStatus": status,
        "To": text.phone,
        "From": text.number,
        "AccountSid": _account(),
        "ApiVersion": API_VERSION,
        # Twilio adds parameters without notice; a receiver has to bear one it does not know.
        "SandboxParameter": "unannounced",
    }
    if error is not None:
        fields["ErrorCode"] = str(error)
    http_status = _post(text.status_callback, fields)
    ledger.record(
        "twilio",
        "report_sent",
        key=text.phone,
        message_id=text.message_id,
        status=status,
        http_status=http_status,
    )
    return http_status != 0


def _deliver_inbound(text_pk: int, url: str) -> bool:
    text = Text.objects.get(pk=text_pk)
    fields = {
        "MessageSid": text.message_id,
        "SmsSid": text.message_id,
        "SmsMessageSid": text.message_id,
        "AccountSid": _account(),
        "From": text.phone,
        "To": text.number,
        "Body": text.body,
        "NumMedia": "0",
        "NumSegments": str(segments.count(text.body)),
        "SmsStatus": "received",
        "ApiVersion": API_VERSION,
    }
    keyword = network.keyword_of(text.body, supplier=Supplier.TWILIO)
    if keyword:
        fields["OptOutType"] = keyword
    http_status = _post(url, fields)
    ledger.record("twilio", "inbound_sent", key=text.phone, message_id=text.message_id, http_status=http_status)
    return http_status != 0


def _post(url: str, fields: dict[str, str]) -> int:
    """Return the status the customer answered with, 0 when there was no answer."""
    token = str(setup.current().get("twilio", {}).get("auth_token", ""))
    headers = {
        "X-Twilio-Signature": signatures.twilio(token, url=url, fields=fields),
        "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": fields["MessageSid"],
    }
    try:
        answer = requests.post(url, data=fields, headers=headers, timeout=_ANSWER_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        logger.warning("a callback was not taken: %s", type(error).__name__)
        return 0
    return answer.status_code


def _account() -> str:
    return str(setup.current().get("twilio", {}).get("account_sid", ""))

"""Send texts the ACS way: up to a hundred recipients, each with its own result, repeatable by request id."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from sandbox import ledger
from sandbox.models import NetworkOptOut, Supplier, Text
from sandbox.sms import network, numbers, phones
from sandbox.sms.acs_base import AcsError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_RECIPIENTS = 100
_LONGEST_MESSAGE = 2048
_REPORT_TIMEOUTS = range(60, 43201)


@dataclass(frozen=True)
class _Request:
    sender: str
    message: str
    recipients: list[dict[str, Any]]
    wants_report: bool
    tag: str


def send(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Accept the texts of a send request and return a result per recipient.

    A recipient that fails does so inside the 202; only a malformed request fails as a whole.

    :raises AcsError: 400 for a malformed request, 401 when the sender's number is not the customer's.
    """
    request = _read(body)
    if numbers.find(request.sender, supplier=Supplier.ACS) is None:
        raise AcsError(401, "Unauthorized", "The sender's number does not belong to this resource.")
    return [_send_one(request, recipient) for recipient in request.recipients]


def opt_outs(body: dict[str, Any], *, action: str) -> list[dict[str, Any]]:
    """Add, remove or check the opt-outs of recipients of one number.

    :param action: ``add``, ``remove`` or ``check``.
    :raises AcsError: 400.
    """
    number, recipients = str(body.get("from") or ""), _recipients(body, name="recipients")
    if not number:
        raise AcsError(400, "BadRequest", "'from' is required.")
    return [_opt_out(number, str(recipient.get("to") or ""), action=action) for recipient in recipients]


def report(message_id: str) -> dict[str, Any] | None:
    """Return the delivery report of a text that has one by now."""
    text = Text.objects.filter(supplier=Supplier.ACS, message_id=message_id, is_inbound=False).first()
    if text is None or text.status == "accepted":
        return None
    fate = network.DELIVERED if text.status == "delivered" else network.fate_of(text)
    return {
        "messageId": text.message_id,
        "from": text.number,
        "to": text.phone,
        "deliveryStatus": "Delivered" if text.status == "delivered" else "Failed",
        "deliveryStatusDetails": text.error or fate.acs_details,
        "receivedTimestamp": text.updated_at.isoformat(),
        "deliveryAttempts": [],
        "tag": text.tag or None,
    }


def _read(body: dict[str, Any]) -> _Request:
    options = body.get("smsSendOptions") or {}
    message = body.get("message")
    if not isinstance(message, str) or len(message) > _LONGEST_MESSAGE:
        raise AcsError(400, "BadRequest", "'message' is required and has at most 2048 characters.")
    if not isinstance(options, dict) or (options and not isinstance(options.get("enableDeliveryReport"), bool)):
        raise AcsError(400, "BadRequest", "'smsSendOptions.enableDeliveryReport' is required.")
    timeout = options.get("deliveryReportTimeoutInSeconds")
    if timeout is not None and timeout not in _REPORT_TIMEOUTS:
        raise AcsError(400, "BadRequest", "'deliveryReportTimeoutInSeconds' is 60 to 43200.")
    return _Request(
        sender=str(body.get("from") or ""),
        message=message,
        recipients=_recipients(body, name="smsRecipients"),
        wants_report=bool(options.get("enableDeliveryReport", False)),
        tag=str(options.get("tag") or ""),
    )


def _recipients(body: dict[str, Any], *, name: str) -> list[dict[str, Any]]:
    recipients = body.get(name)
    is_list = isinstance(recipients, list) and all(isinstance(recipient, dict) for recipient in recipients)
    if not is_list or not 1 <= len(recipients or []) <= _MOST_RECIPIENTS:
        raise AcsError(400, "BadRequest", f"'{name}' holds 1 to 100 recipients.")
    return list(recipients or [])


def _send_one(request: _Request, recipient: dict[str, Any]) -> dict[str, Any]:
    phone, request_id = str(recipient.get("to") or ""), recipient.get("repeatabilityRequestId")
    if not network.E164.fullmatch(phone):
        return _refused(phone, "Invalid To phone number format.")
    if request_id is not None and not _is_repeatable(recipient):
        message = "A repeatable request needs a UUID as repeatabilityRequestId and a repeatabilityFirstSent."
        return _refused(phone, message, repeatability="rejected")
    key = str(request_id).lower() if request_id is not None else None
    text, is_new = _accept(request, phone=phone, request_id=key)
    if not is_new and (text.number, text.body) != (request.sender, request.message):
        message = "The repeatabilityRequestId was used for another message."
        return _refused(phone, message, repeatability="rejected")
    return _accepted(text)


def _accept(request: _Request, *, phone: str, request_id: str | None) -> tuple[Text, bool]:
    """Store the text and send it on its way, or return the one that was accepted under this request id."""
    earlier = _earlier(phone, request_id)
    if earlier is not None:
        return earlier, False
    try:
        with transaction.atomic():
            text = Text.objects.create(
                supplier=Supplier.ACS,
                message_id=f"Outgoing_{uuid.uuid4()}",
                phone=phone,
                number=request.sender,
                body=request.message,
                status="accepted",
                repeatability_id=request_id,
                wants_report=request.wants_report,
                tag=request.tag,
            )
    except IntegrityError:  # two requests with one id at the same moment: the first one counts
        return Text.objects.get(phone=phone, repeatability_id=request_id), False
    data = {"from": request.sender, "message_id": text.message_id, "text": text.body, "repeatability_id": request_id}
    ledger.record("acs", "sms_accepted", key=phone, **data)
    phones.dispatch(text)
    return text, True


def _earlier(phone: str, request_id: str | None) -> Text | None:
    return Text.objects.filter(phone=phone, repeatability_id=request_id).first() if request_id else None


def _is_repeatable(recipient: dict[str, Any]) -> bool:
    return bool(_UUID.fullmatch(str(recipient["repeatabilityRequestId"])) and recipient.get("repeatabilityFirstSent"))


def _accepted(text: Text) -> dict[str, Any]:
    result: dict[str, Any] = {
        "to": text.phone,
        "messageId": text.message_id,
        "httpStatusCode": 202,
        "successful": True,
    }
    if text.repeatability_id:
        result["repeatabilityResult"] = "accepted"
    return result


def _refused(phone: str, message: str, *, repeatability: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {"to": phone, "httpStatusCode": 400, "errorMessage": message, "successful": False}
    if repeatability:
        result["repeatabilityResult"] = repeatability
    return result


def _opt_out(number: str, phone: str, *, action: str) -> dict[str, Any]:
    if not network.E164.fullmatch(phone):
        return {"to": phone, "httpStatusCode": 400, "errorMessage": "Invalid To phone number format."}
    key: dict[str, Any] = {"supplier": Supplier.ACS, "number": number, "phone": phone}
    if action == "add":
        NetworkOptOut.objects.get_or_create(**key)
    elif action == "remove":
        NetworkOptOut.objects.filter(**key).delete()
    else:
        return {"to": phone, "httpStatusCode": 200, "isOptedOut": network.is_opted_out(**key)}
    return {"to": phone, "httpStatusCode": 200}

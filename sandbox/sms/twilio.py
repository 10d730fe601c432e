"""Send and list texts the Twilio way, and buy numbers at once."""

import secrets
from datetime import date
from email.utils import format_datetime
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from sandbox import ledger, setup
from sandbox.models import SenderNumber, Supplier, Text
from sandbox.sms import network, numbers, phones, segments
from sandbox.sms.twilio_base import TwilioError, account_sid
from sandbox.sms.twilio_webhooks import API_VERSION

_LONGEST_BODY = 1600
_MESSAGES = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30007: "Message filtered",
    21610: "Attempt to send to unsubscribed recipient",
}


def send(form: QueryDict) -> Text:
    """Accept a text.

    :raises TwilioError: 21604, 21211, 21602, 21617, 21606, 21703 or 21610, as Twilio numbers them.
    """
    phone, sender, body = form.get("To", ""), _sender(form), form.get("Body", "")
    _check_message(phone, body)
    if numbers.find(sender, supplier=Supplier.TWILIO) is None:
        message = f"The 'From' phone number {sender} is not a valid, SMS-capable inbound phone number for your account."
        raise TwilioError(400, 21606, message)
    if network.is_opted_out(supplier=Supplier.TWILIO, number=sender, phone=phone):
        raise TwilioError(400, 21610, _MESSAGES[21610])
    text = Text.objects.create(
        supplier=Supplier.TWILIO,
        message_id=f"SM{secrets.token_hex(16)}",
        phone=phone,
        number=sender,
        body=body,
        status="queued",
        status_callback=form.get("StatusCallback", ""),
    )
    ledger.record(
        "twilio",
        "sms_accepted",
        key=phone,
        **{"from": sender, "message_id": text.message_id, "text": body, "repeatability_id": None},
    )
    phones.dispatch(text)
    return text


def listed(query: QueryDict) -> QuerySet[Text]:
    """Return the texts that match ``To``, ``From`` and ``DateSent`` (a day; also ``DateSent>`` and ``DateSent<``)."""
    texts = Text.objects.filter(supplier=Supplier.TWILIO).exclude(message_id__startswith="network-")
    for end in ("To", "From"):
        if e164 := query.get(end, ""):
            texts = texts.filter(**{"number" if _is_ours(e164) else "phone": e164})
    for name, lookup in (("DateSent", "at__date"), ("DateSent>", "at__date__gte"), ("DateSent<", "at__date__lte")):
        if day := query.get(name, ""):
            texts = texts.filter(**{lookup: _day(day)})
    return texts


def text_json(text: Text) -> dict[str, Any]:
    """Return the Message resource."""
    ends = (text.phone, text.number) if text.is_inbound else (text.number, text.phone)
    error = network.fate_of(text).twilio_error if text.status == "undelivered" else None
    uri = f"/{API_VERSION}/Accounts/{account_sid()}/Messages/{text.message_id}"
    return {
        "sid": text.message_id,
        "account_sid": account_sid(),
        "api_version": API_VERSION,
        "body": text.body,
        "date_created": format_datetime(text.at),
        "date_sent": None if text.status == "queued" else format_datetime(text.updated_at),
        "date_updated": format_datetime(text.updated_at),
        "direction": "inbound" if text.is_inbound else "outbound-api",
        "error_code": error,
        "error_message": _MESSAGES.get(error) if error else None,
        "from": ends[0],
        "to": ends[1],
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments.count(text.body)),
        "price": None,
        "price_unit": "USD",
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "uri": f"{uri}.json",
    }


def buy(form: QueryDict) -> SenderNumber:
    """Buy ``PhoneNumber``, or any in ``AreaCode``.

    :raises TwilioError: 21421 or 21422 when the number is not for sale, 21452 when the area has none.
    """
    e164 = form.get("PhoneNumber", "")
    if not e164:
        offered = numbers.for_sale(kind="geographic", area_code=form.get("AreaCode", ""))
        if not offered:
            raise TwilioError(400, 21452, "No phone numbers found in this area code")
        e164 = offered[0]
    kind = next((kind for kind in ("tollFree", "geographic") if _is_for_sale(e164, kind=kind)), "")
    if not kind:
        raise TwilioError(400, 21422, f"{e164} is not available.")
    return numbers.buy(
        e164,
        supplier=Supplier.TWILIO,
        kind=kind,
        friendly_name=form.get("FriendlyName", phones.Phone(e164, []).label),
        sms_url=form.get("SmsUrl", ""),
        status_callback=form.get("StatusCallback", ""),
    )


def update(number: SenderNumber, form: QueryDict) -> SenderNumber:
    """Set the addresses and the name of a number."""
    number.sms_url = form.get("SmsUrl", number.sms_url)
    number.status_callback = form.get("StatusCallback", number.status_callback)
    number.friendly_name = form.get("FriendlyName", number.friendly_name)
    number.save()
    return number


def number_json(number: SenderNumber) -> dict[str, Any]:
    """Return the IncomingPhoneNumber resource."""
    return {
        "sid": number.sid,
        "account_sid": account_sid(),
        "phone_number": number.e164,
        "friendly_name": number.friendly_name,
        "capabilities": {"voice": False, "sms": True, "mms": False, "fax": False},
        "sms_url": number.sms_url,
        "sms_method": "POST",
        "status_callback": number.status_callback,
        "date_created": format_datetime(number.purchased_at),
        "status": "in-use",
        "uri": f"/{API_VERSION}/Accounts/{account_sid()}/IncomingPhoneNumbers/{number.sid}.json",
    }


def offer_json(e164: str) -> dict[str, Any]:
    """Return an AvailablePhoneNumber resource."""
    return {
        "friendly_name": phones.Phone(e164, []).label,
        "phone_number": e164,
        "iso_country": "US",
        "beta": False,
        "capabilities": {"voice": False, "SMS": True, "MMS": False},
    }


def _sender(form: QueryDict) -> str:
    """Return ``From``, or a number of the Messaging Service."""
    service = form.get("MessagingServiceSid", "")
    if not service:
        return str(form.get("From", ""))
    services = setup.current().get("twilio", {}).get("messaging_services", {})
    if service not in services:
        raise TwilioError(400, 21703, "The Messaging Service does not have a phone number available.")
    return str(services[service])


def _check_message(phone: str, body: str) -> None:
    if not phone:
        raise TwilioError(400, 21604, "A 'To' phone number is required.")
    if not network.E164.fullmatch(phone):
        raise TwilioError(400, 21211, f"The 'To' number {phone} is not a valid phone number.")
    if not body:
        raise TwilioError(400, 21602, "Message body is required.")
    if len(body) > _LONGEST_BODY:
        raise TwilioError(400, 21617, "The concatenated message body exceeds the 1600 character limit.")


def _is_ours(e164: str) -> bool:
    return SenderNumber.objects.filter(supplier=Supplier.TWILIO, e164=e164).exists()


def _is_for_sale(e164: str, *, kind: str) -> bool:
    return e164 in numbers.for_sale(kind=kind, quantity=1000)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise TwilioError(400, 20001, f"'{value}' is not a date.") from error

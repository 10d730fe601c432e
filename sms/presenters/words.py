"""How numbers, intervals and codes are put into words."""

from collections.abc import Iterable

import phonenumbers

_UNITS = ((24 * 60, "day"), (60, "hour"), (1, "minute"))

# Why a text was not sent or not delivered: our codes that people meet on the Messages page.
REASONS = {
    "sms.visit_changed": "The visit was moved or cancelled first",
    "sms.too_late": "It would have come too late",
    "sms.no_number": "No phone number any more",
    "sms.no_consent": "Consent to text messages is missing",
    "sms.opted_out": "The patient replied STOP",
    "sms.not_approved": "Texts are not approved",
    "sms.not_released": "Not in the share of visits that is texted",
    "sms.paused": "Texts are paused",
    "sms.quiet_hours": "Quiet hours left no time for it",
    "sms.visit_cap": "Too many texts about one visit",
    "sms.organization_cap": "The organization's daily cap is reached",
    "sms.country_not_served": "The phone is in another country",
    "sms.worker_delayed": "A worker was held up; it goes out with the next turn",
    "sms.worker_lost": "A worker stopped while sending",
    "sms.paced": "Waits its turn: the number may not send faster",
    "sms.supplier_failing": "The supplier keeps failing; it is tried again",
    "sms.not_taken": "The supplier did not get it; it goes out again",
    "sms.sent_another_way": "Tried another way",
    "sms.number_missing": "The approved number is no longer ours",
    "sms.supplier_not_configured": "The supplier is not set up",
    "sms.number_out_of_stock": "The supplier has no such number now",
    "sms.number_taken": "Somebody else bought the number first",
    "sms.number_reservation_expired": "The reservation ran out",
    "sms.number_no_credit": "The supplier's account has no credit for another number",
    "sms.number_not_provisioned": "The supplier could not provide the number it sold",
    "sms.number_refused": "The supplier refused to give a number",
    "sms.number_timed_out": "There was no number after ten minutes",
    "endpoint.paused": "The Epic connection is paused",
    "endpoint.not_approved": "The Epic connection is not approved",
    "acs.not_authorized": "Azure refuses the access key or the number",
    "twilio.not_authorized": "Twilio refuses the account or the number",
}


def number(e164: str) -> str:
    """Return a number as people of its country write it, others internationally: ``(833) 555-0142``."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    style = phonenumbers.PhoneNumberFormat
    is_american = parsed.country_code == phonenumbers.country_code_for_region("US")
    return phonenumbers.format_number(parsed, style.NATIONAL if is_american else style.INTERNATIONAL)


def interval(minutes: int) -> str:
    """Return minutes in their largest whole unit: ``1 day``, ``2 hours``, ``90 minutes``."""
    size, unit = next((size, unit) for size, unit in _UNITS if minutes % size == 0)
    count = minutes // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def listed(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    words = list(parts)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def reason(code: str) -> str:
    """Return a code in words; one without words stays as it is, for support to search."""
    return REASONS.get(code, code)

"""Telephone numbers: E.164 in, masked out."""

import phonenumbers

_SHOWN_DIGITS = 2


def to_e164(raw: str, *, region: str) -> str | None:
    """Return ``raw`` as E.164 (``+16085550177``), or None when it cannot be a number.

    :param region: ISO 3166-1 alpha-2 country used when the number has no country code.
    """
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    # "possible", not "valid": fictional 555-01xx numbers are possible, and new ranges appear weekly.
    # A number that is possible only inside its own area (no area code) cannot be texted.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def last_digits(e164: str) -> str:
    """Return the two digits that staff may see."""
    return e164[-_SHOWN_DIGITS:]


def mask(e164: str) -> str:
    """Return a number as it may be shown and logged: ``number ending 77``."""
    return f"number ending {last_digits(e164)}"

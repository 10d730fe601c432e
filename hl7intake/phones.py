"""Which of a patient's numbers is texted.

Order: mobile numbers of PID-13 (home), PID-40 (any), PID-14 (work), then the other numbers in the same
order. Source: HL7 v2.5.1 chapter 2A, data type XTN, tables 0201 (use) and 0202 (equipment).
"""

import re
from dataclasses import dataclass

from core.phone import to_e164
from hl7intake.reader import Repetition, Segment

_FIELDS = (13, 40, 14)
_MOBILE = frozenset({"CP", "CELL", "MOBILE", "MOB"})
_NOT_A_TELEPHONE = frozenset({"NET", "INTERNET", "X.400", "EMAIL", "FX", "FAX", "MD", "BP", "TDD", "TTY", "SAT"})
_DIGITS = 4  # fewer are an extension or a slip
_USE, _EQUIPMENT, _EMAIL, _UNFORMATTED = 2, 3, 4, 12


@dataclass(frozen=True, kw_only=True)
class PhoneChoice:
    """The number to text.

    :param number: E.164; None when the message says nothing about it, '' when there is none (any more).
    :param is_unusable: numbers were given, and none of them can be texted.
    """

    number: str | None
    is_unusable: bool = False


def choose_phone(pid: Segment, *, region: str) -> PhoneChoice:
    """Return the number of the patient in ``pid`` that a text should go to.

    :param region: ISO 3166-1 country whose local numbers have no country code.
    """
    given = [one for field in _FIELDS for one in pid.repetitions(field) if not _is_null(one) and _is_telephone(one)]
    mobiles = [one for one in given if _is_mobile(one)]
    others = [one for one in given if not _is_mobile(one)]
    texts = [text for one in mobiles + others if (text := _text_of(one))]
    for text in texts:
        number = _complete(text, region=region)
        if number:
            return PhoneChoice(number=number)
    if texts:
        # The old number is not kept: the message just said that it is another one.
        return PhoneChoice(number="", is_unusable=True)
    is_deleted = any(_is_null(one) for field in _FIELDS for one in pid.repetitions(field))
    return PhoneChoice(number="" if is_deleted else None)


def numbers_in(repetitions: list[Repetition], *, region: str) -> list[str]:
    """Return the numbers of one field that can be texted (E.164), as they stand there."""
    texts = (_text_of(one) for one in repetitions if not _is_null(one) and _is_telephone(one))
    return [number for text in texts if text and (number := _complete(text, region=region))]


def _is_null(one: Repetition) -> bool:
    return one.raw.startswith('""')


def _kinds(one: Repetition) -> set[str]:
    return {one.text(part).strip().upper() for part in (_USE, _EQUIPMENT)}


def _is_telephone(one: Repetition) -> bool:
    return not _kinds(one) & _NOT_A_TELEPHONE


def _is_mobile(one: Repetition) -> bool:
    # Some senders write the kind of telephone into XTN-4, where the e-mail address belongs.
    return bool((_kinds(one) | {one.text(_EMAIL).strip().upper()}) & _MOBILE)


def _text_of(one: Repetition) -> str:
    """Return the number as written: XTN-1, else its parts 5 to 7, else XTN-12."""
    whole = one.text(1).strip()
    if _has_digits(whole):
        return whole
    country, area, local = (one.text(part).strip() for part in (5, 6, 7))
    if _has_digits(local):
        return f"+{country.lstrip('+')}{area}{local}" if country and area else f"{area}{local}"
    return one.text(_UNFORMATTED).strip()


def _has_digits(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= _DIGITS


def _complete(text: str, *, region: str) -> str:
    """Return ``text`` as E.164, or '' when it is no complete number."""
    # The old TN format appends X (extension), B (beeper) and C (a comment) to the number.
    return to_e164(re.split(r"(?<=[0-9])\s*[XBCxbc]", text[:60], maxsplit=1)[0], region=region) or ""

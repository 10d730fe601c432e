"""What an organization's own words must hold and must not: no name, nothing clinical, one link in the middle, STOP.

Errors keep words from being saved; warnings say what they cost.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sms.segments import GSM_7, UCS_2, foreign_characters, length
from sms.wording import PLACEHOLDERS

MOST_CHARACTERS = 600
USUAL_SEGMENTS = 2
# Other alphabets fit 67 characters into a segment where plain letters fit 153.
MOST_SEGMENTS = {GSM_7: USUAL_SEGMENTS, UCS_2: 4}

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_URL = re.compile(r"(?:https?://|www\.|\b[a-z0-9-]+\.(?:com|org|net|ly|co|gl|me|io|us)\b/?)\S*", re.IGNORECASE)
_DIGITS = re.compile(r"\d{5,}")
_STOP = re.compile(r"\bSTOP\b")

# Ways to address somebody: after them stands a name, or a placeholder that asks for one.
_ADDRESSES = re.compile(
    r"\b(dear|hello|hi|mrs?|ms|sr|sra|srta|estimad[oa]|querid[oa]|hola)\b\.?(?=[\s,{])", re.IGNORECASE
)
_NAMES = ("name", "patient", "first", "last", "nombre", "paciente", "mrn", "dob", "provider", "doctor", "department")

# What tells strangers why somebody sees a doctor; word stems in English and Spanish.
_CLINICAL = (
    "abortion", "aborto", "addiction", "adicci", "aids", "biops", "cancer", "cardio", "chemo", "depress", "depres",
    "dermat", "diabet", "diagn", "dialysis", "diálisis", "embaraz", "fertil", "gynec", "ginec", "hepat", "hiv",
    "hormon", "lab result", "medication", "medicament", "mental", "neuro", "obstet", "oncolog", "pediatr", "pregnan",
    "prescri", "psych", "psiqui", "psico", "quimio", "rehab", "result", "sexual", "sida", "std", "substance", "surger",
    "cirug", "symptom", "síntoma", "test result", "therap", "terapia", "trauma", "tumor", "urolog", "vaccin",
    "vacuna", "vih",
)  # fmt: skip
_CLINICAL_WORD = re.compile(rf"\b(?:{'|'.join(_CLINICAL)})\w*", re.IGNORECASE)

_REQUIRED = {
    "scheduled": ("organization", "when", "link"),
    "moved": ("organization", "when", "link"),
    "reminder": ("organization", "when", "link"),
    "cancelled": ("organization", "when"),
}


@dataclass(frozen=True)
class Finding:
    """One thing to change, or to know."""

    is_error: bool
    text: str


def lint(body: str, *, kind: str) -> list[Finding]:
    """Return what is wrong with ``body`` as words for ``kind``, errors first; empty when all is well."""
    found = [Finding(is_error=True, text=text) for rule in _RULES for text in rule(body, kind)]
    if characters := foreign_characters(body):
        shown = " ".join(characters[:6])
        found.append(Finding(is_error=False, text=f"{shown} makes carriers use UCS-2: 70 instead of 160 characters."))
    return found


def lint_length(text: str) -> list[Finding]:
    """Return what the finished text, with everything filled in, costs too much."""
    measured = length(text)
    if measured.segments <= USUAL_SEGMENTS:
        return []
    most = MOST_SEGMENTS[measured.encoding]
    is_error = measured.segments > most
    advice = f" Shorten it to {most}." if is_error else ""
    return [Finding(is_error=is_error, text=f"It takes {measured.segments} segments, each paid for.{advice}")]


def _placeholders(body: str, kind: str) -> Iterator[str]:
    used = _PLACEHOLDER.findall(body)
    for name in dict.fromkeys(used):
        if name in PLACEHOLDERS:
            continue
        if any(word in name.casefold() for word in _NAMES):
            yield f"{{{name}}} would put a person into the text. Texts name nobody."
        else:
            yield f"{{{name}}} is not known. Use {', '.join(f'{{{known}}}' for known in PLACEHOLDERS)}."
    for name in _REQUIRED[kind]:
        if name not in used:
            yield f"Add {{{name}}}: {PLACEHOLDERS[name][0].lower()}{PLACEHOLDERS[name][1:]}."


def _link(body: str, kind: str) -> Iterator[str]:
    count = body.count("{link}")
    if kind == "cancelled" and count:
        yield "Take {link} out: a cancelled visit has none."
        return
    if count > 1:
        yield "Use {link} once."
    before, _, after = body.strip().partition("{link}")
    if count == 1 and not (before.strip() and after.strip()):
        yield "Move {link} into the middle: phones open a link at the start or end to show a preview."
    if count and re.search(r"\{link\}[^\s]", body):
        yield "Leave a space after {link}: what touches it becomes part of the address."


def _stop(body: str, kind: str) -> Iterator[str]:
    if not _STOP.search(body):
        yield "Say how to end the texts, with STOP in capitals: “Reply STOP to end texts.”"
    if "{help}" not in body and not re.search(r"\bHELP\b", body):
        yield "Say where to get help: {help}, or “Reply HELP”."


def _addresses(body: str, kind: str) -> Iterator[str]:
    for url in dict.fromkeys(_URL.findall(body)):
        yield f"Take “{url}” out: carriers block texts with other addresses than your own link."


def _people(body: str, kind: str) -> Iterator[str]:
    for word in dict.fromkeys(match[0] for match in _ADDRESSES.finditer(body)):
        yield f"Take “{word}” out: texts name nobody, because others may read them."
    if _DIGITS.search(_PLACEHOLDER.sub("", body)):
        yield "Take the long number out: it could be a record number."


def _clinical(body: str, kind: str) -> Iterator[str]:
    for word in dict.fromkeys(match[0] for match in _CLINICAL_WORD.finditer(_PLACEHOLDER.sub("", body))):
        yield f"Take “{word}” out: nobody who sees the phone may learn what the visit is about."


def _size(body: str, kind: str) -> Iterator[str]:
    if len(body) > MOST_CHARACTERS:
        yield f"Shorten it: at most {MOST_CHARACTERS} characters."


_RULES: tuple[Callable[[str, str], Iterator[str]], ...] = (
    _size, _placeholders, _link, _stop, _addresses, _people, _clinical,
)  # fmt: skip

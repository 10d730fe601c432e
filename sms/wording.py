"""What a text says: organization, time with zone, link in the middle, how to stop. No name, nothing clinical.

The link stands in the middle because phones draw a preview of one at the start or end, and a preview
fetches it. An organization may write its own words, in further languages too; :mod:`sms.linting` says
what they must and must not hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.dateformat import format as format_date

from sms.segments import Length, length, plain

__all__ = ["DEFAULTS", "PLACEHOLDERS", "Length", "Wording", "compose", "length", "when"]

Templates = Mapping[str, Mapping[str, str]]
"""Language → kind → the organization's own words."""

PLACEHOLDERS = {
    "organization": "Your organization's name",
    "when": "Day, time and zone of the visit",
    "link": "The patient's own link",
    "opens": "Minutes before the start from which the link works",
    "help": "Your help number; a sentence with it is left out when there is none",
}

DEFAULTS: Templates = {
    "en": {
        "scheduled": "{organization}: your video visit is {when}. Join at {link} from {opens} min before."
        " Help: {help}. Reply STOP to end texts.",
        "moved": "{organization}: your video visit is now {when}. Use this new link: {link}"
        " Help: {help}. Reply STOP to end texts.",
        "cancelled": "{organization}: your video visit on {when} is cancelled. Help: {help}. Reply STOP to end texts.",
        "reminder": "{organization}: reminder, your video visit is {when}. Join at {link}"
        " Help: {help}. Reply STOP to end texts.",
    },
    "es": {
        "scheduled": "{organization}: su videoconsulta es el {when}. Entre en {link} desde {opens} min antes."
        " Ayuda: {help}. Responda STOP para no recibir más.",
        "moved": "{organization}: su videoconsulta es ahora el {when}. Use este enlace nuevo: {link}"
        " Ayuda: {help}. Responda STOP para no recibir más.",
        "cancelled": "{organization}: su videoconsulta del {when} se ha cancelado."
        " Ayuda: {help}. Responda STOP para no recibir más.",
        "reminder": "{organization}: recuerde, su videoconsulta es el {when}. Entre en {link}"
        " Ayuda: {help}. Responda STOP para no recibir más.",
    },
}
_FALLBACK = "en"

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
# The sentence around {help}; a link ends one too, for no full stop may touch it.
_HELP_SENTENCE = re.compile(r"(?:(?<=[.!?]\s)|(?<=\{link\}\s)|^)[^.!?{}]*\{help\}[^.!?{}]*[.!?]?\s*")

_ANSWERS: Mapping[tuple[str, str], str] = {
    ("help", "en"): "{organization}: we text you about your video visits. {help}Reply STOP to end texts.",
    ("stopped", "en"): "{organization}: you will get no more texts. Visits stay booked. {help}START brings texts back.",
    ("started", "en"): "{organization}: you will get texts about your video visits again. Reply STOP to end them.",
    ("help", "es"): "{organization}: le escribimos sobre sus videoconsultas. {help}Responda STOP para no recibir más.",
    ("stopped", "es"): "{organization}: no recibirá más mensajes. Sus consultas siguen. {help}START los reanuda.",
    ("started", "es"): "{organization}: recibirá otra vez mensajes sobre sus videoconsultas. STOP los termina.",
}
_CALL = {"en": "Help: {phone}. ", "es": "Ayuda: {phone}. "}

_DAYS = {
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
    "es": ["lun", "mar", "mie", "jue", "vie", "sab", "dom"],
}
_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "es": ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
}


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Everything a text may mention.

    :param templates: the organization's own words, as they were approved.
    """

    kind: str
    language: str
    organization: str
    starts_at: datetime
    time_zone: str
    link: str
    help_phone: str
    opens_minutes: int
    templates: Templates = field(default_factory=dict)


def compose(wording: Wording) -> str:
    """Return the text in the patient's language, or in English when there are no words in it, in plain characters."""
    language, body = template_for(wording.kind, wording.language, wording.templates)
    values = {
        "organization": wording.organization,
        "when": when(wording.starts_at, time_zone=wording.time_zone, language=language),
        "link": wording.link,
        "opens": str(wording.opens_minutes),
        "help": wording.help_phone,
    }
    if not wording.help_phone:
        body = _HELP_SENTENCE.sub("", body)
    # Not str.format: what an organization typed must reach nothing but these five values.
    return plain(_PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), body)).strip()


def template_for(kind: str, language: str, templates: Templates) -> tuple[str, str]:
    """Return language and words: the organization's before ours, the patient's language before English."""
    for candidate in (language, _FALLBACK):
        for source in (templates, DEFAULTS):
            body = source.get(candidate, {}).get(kind)
            if body:
                return candidate, body
    raise KeyError(kind)


def answer(kind: str, *, language: str, organization: str, help_phone: str) -> str:
    """Return what a phone that wrote to us is told: ``help``, ``stopped`` or ``started``."""
    language = language if (kind, language) in _ANSWERS else "en"
    help_line = _CALL[language].format(phone=help_phone) if help_phone else ""
    return plain(_ANSWERS[kind, language].format(organization=organization, help=help_line))


def when(moment: datetime, *, time_zone: str, language: str) -> str:
    """Return a local time as people say it, with its zone: ``Mon Sep 21, 2:00 PM CDT``."""
    local = moment.astimezone(ZoneInfo(time_zone))
    if language not in _DAYS:
        with translation.override(language):
            return f"{format_date(local, 'D j M, H:i')} {local:%Z}"
    day, month = _DAYS[language][local.weekday()], _MONTHS[language][local.month - 1]
    if language == "es":
        return f"{day} {local.day} {month}, {local:%H:%M} {local:%Z}"
    hour = local.hour % 12 or 12
    return f"{day} {month} {local.day}, {hour}:{local:%M} {'AM' if local.hour < 12 else 'PM'} {local:%Z}"  # noqa: PLR2004 - noon

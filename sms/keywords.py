"""What a patient's answer means. Doubt is told apart from No: staff look at it, and nothing is kept of the words.

Since April 2025 any reasonable way of saying No ends texts in the United States (47 CFR 64.1200(a)(10)): the
usual words, and plain sentences. The whole answer is looked up first, then sentences are searched for.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Meaning(StrEnum):
    """What an answer means (the values of ``InboundText.Meaning``)."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    UNCLEAR = "unclear"
    OTHER = "other"


@dataclass(frozen=True)
class Understood:
    """The meaning, the bare word when it was one, and the language it was said in."""

    meaning: Meaning
    word: str = ""
    language: str = ""


_WORDS = {
    Meaning.STOP: {
        "en": "stop|stopall|stop all|quit|end|revoke|optout|opt out|cancel|unsubscribe",
        "es": "alto|parar|pare|cancelar|no mas|baja",
    },
    Meaning.START: {"en": "start|unstop|yes|resume", "es": "si|comenzar|empezar|reanudar"},
    Meaning.HELP: {"en": "help|info", "es": "ayuda|informacion"},
}
WORDS: dict[str, Understood] = {
    word: Understood(meaning, word, language)
    for meaning, languages in _WORDS.items()
    for language, words in languages.items()
    for word in words.split("|")
}
_BARE_YES = frozenset({"yes", "si"})

_STOP_SENTENCES = {
    "en": [
        r"(please )?stop( it| this| that| now| please| already| thanks| thank you| ok)*",
        r"stop (texting|messaging|sending|contacting|the (texts?|messages?|reminders?)|these|all)\b.*",
        r".*\b(please|just|must|to) stop (texting|messaging|sending|contacting|the (texts?|messages?)|these)\b.*",
        r".*\b(do not|don t|dont|never|no longer) (want )?(any )?(more )?(text|messag|contact|send)(s|e|es|ing)?\b.*",
        r".*\bno more (texts?|messages?|sms|reminders?)\b.*",
        r".*\b(remove|delete|take) (me|my (phone )?number|this number)( off| from)?\b.*",
        r".*\b(opt|sign) me out\b.*",
        r".*\b(unsubscribe|opt out|optout)( me| please| now| from.*)?",
        r".*\b(revoke|withdraw) (my )?(consent|permission)\b.*",
        r"leave me alone.*",
    ],
    "es": [
        r"(por favor )?(pare|paren|alto)( ya| por favor)*",
        r".*\bno (mas|quiero( recibir)?( mas)?) (mensajes?|textos?|sms|recordatorios?)\b.*",
        r".*\b(dejen?|deje|dejar) de (enviar|mandar|escribir)(me)?\b.*",
        r".*\bno me (envien|manden|escriban|envie|mande|escriba)\b.*",
        r".*\b(quiten|quite|saquen|saque|borren|borre)me\b.*",
        r".*\bdar(me)? de baja\b.*",
    ],
}
_STOP = [(language, re.compile(sentence)) for language, all_of in _STOP_SENTENCES.items() for sentence in all_of]
_DOUBTFUL = re.compile(r"\b(stop|unsubscribe|revoke|wrong number|numero equivocado|no mas|basta)\b")
_HELP = re.compile(r"(please |i )?(need )?help( me)?( please)?|(necesito )?ayuda( por favor)?")
_LONGEST = 1_600  # ten segments; nothing longer comes from a phone


def understand(body: str, *, is_toll_free: bool = False) -> Understood:
    """Return what ``body`` means.

    :param is_toll_free: whether it was sent to a toll-free number. Carriers lift their own block there for START and
        UNSTOP alone, and not for a yes, which is then no more than an answer to something.
    """
    words = _plain(body[:_LONGEST])
    if is_toll_free and words in _BARE_YES:
        return Understood(Meaning.OTHER)
    if words in WORDS:
        return WORDS[words]
    for language, sentence in _STOP:
        if sentence.fullmatch(words):
            return Understood(Meaning.STOP, language=language)
    if help_sentence := _HELP.fullmatch(words):
        return Understood(Meaning.HELP, language="es" if "ayuda" in help_sentence[0] else "en")
    return Understood(Meaning.UNCLEAR if _DOUBTFUL.search(words) else Meaning.OTHER)


def _plain(body: str) -> str:
    """Return ``body`` in lower case without accents and punctuation, its words one space apart."""
    letters = unicodedata.normalize("NFKD", body.casefold())
    letters = "".join(character for character in letters if not unicodedata.combining(character))
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())

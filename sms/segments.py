"""How a text travels: in which alphabet, and into how many paid parts it is cut (3GPP TS 23.038 and 23.040)."""

from dataclasses import dataclass

GSM_7, UCS_2 = "GSM-7", "UCS-2"
_SINGLE = {GSM_7: 160, UCS_2: 70}
_JOINED = {GSM_7: 153, UCS_2: 67}

# TS 23.038: default alphabet, and the extension table whose characters count twice.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = set("^{}\\[~]|€\f")
_ALL_GSM = _GSM | _GSM_EXTENSION

# Typographic characters that would turn a one-segment text into three.
_PLAIN = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u00a0": " ",
        "\u202f": " ", "\u2026": "...",
    }
)  # fmt: skip
_WITHOUT_ACCENT = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")


@dataclass(frozen=True)
class Length:
    """An encoding, how many segments, and how many characters of how many the last segment leaves."""

    encoding: str
    segments: int
    size: int = 0

    @property
    def room(self) -> int:
        """How many more characters fit before another segment is paid for."""
        most = _SINGLE[self.encoding] if self.segments == 1 else _JOINED[self.encoding] * self.segments
        return most - self.size


def length(text: str) -> Length:
    """Return encoding and number of segments of ``text``."""
    if _ALL_GSM.issuperset(text):
        encoding, size = GSM_7, len(text) + sum(map(text.count, _GSM_EXTENSION))
    else:
        encoding, size = UCS_2, len(text.encode("utf-16-be")) // 2
    if size <= _SINGLE[encoding]:
        return Length(encoding, 1, size)
    return Length(encoding, -(-size // _JOINED[encoding]), size)


def plain(text: str) -> str:
    """Return ``text`` with plain quotes and dashes, and without the accents that would force UCS-2 when that helps.

    Spanish loses á, í, ó and ú, not ñ or é; a text in another alphabet keeps everything.
    """
    text = text.translate(_PLAIN)
    lighter = text.translate(_WITHOUT_ACCENT)
    return lighter if length(lighter).encoding == GSM_7 else text


def foreign_characters(text: str) -> list[str]:
    """Return the characters of ``text`` that GSM-7 lacks, each once, in order."""
    return list(dict.fromkeys(character for character in plain(text) if character not in _ALL_GSM))

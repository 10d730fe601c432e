"""A message segment by segment, in words: what each field is called, what it says and what becomes of it."""

from dataclasses import dataclass

from core.phone import mask
from hl7intake.dictionary import NOT_USED, PHONES, SHOWN, field_name, field_use, segment_name
from hl7intake.encoding import NULL, Encoding
from hl7intake.phones import numbers_in
from hl7intake.reader import Message, Segment

HIDDEN = "Present, not shown"
DELETED = "Deleted by the sender"
NOT_A_PHONE = "Present, no number we can text"
# A field with more repetitions, or longer, is a bomb or a document; nobody reads it here.
_MOST_REPETITIONS, _LONGEST_VALUE = 20, 300
_MOST_SEGMENTS = 200
_MOST_FIELDS = 60
# Behind them data types have room for free text, such as TQ.7 and TQ.8.
_CODED_COMPONENTS = 6
_HEADERS = frozenset({"MSH", "FHS", "BHS"})


@dataclass(frozen=True, kw_only=True)
class OutlinedField:
    """One field that was sent.

    :param place: such as ``SCH-11``.
    :param value: decoded text; :data:`HIDDEN` where it may be about a patient and was not asked for.
    :param use: what becomes of it.
    """

    number: int
    place: str
    name: str
    value: str
    use: str

    @property
    def is_used(self) -> bool:
        """Whether anything becomes of it here."""
        return self.use != NOT_USED


@dataclass(frozen=True, kw_only=True)
class OutlinedSegment:
    """One segment with the fields that were sent."""

    name: str
    title: str
    fields: tuple[OutlinedField, ...]

    @property
    def summary(self) -> str:
        """How many fields were sent, and how many of them are used."""
        used = sum(field.is_used for field in self.fields)
        return f"{len(self.fields)} field{'' if len(self.fields) == 1 else 's'}, {used or 'none'} used"


def outline(message: Message, *, region: str = "US", is_full: bool = False) -> tuple[OutlinedSegment, ...]:
    """Return ``message`` in words.

    :param region: ISO 3166-1 country whose local telephone numbers have no country code.
    :param is_full: repeat also what is about a patient; for a page whose every view is audited.
    """
    read_value = _Reading(encoding=message.encoding, region=region, is_full=is_full)
    return tuple(
        OutlinedSegment(
            name=segment.name,
            title=segment_name(segment.name),
            fields=tuple(_field(segment.name, number, read_value(segment, number)) for number in _sent(segment)),
        )
        for segment in message.segments[:_MOST_SEGMENTS]
    )


def shape_of(message: Message) -> list[list[object]]:
    """Return which fields were sent, without a single value: ``[["MSH", [1, 2, 3]], ["SCH", [2, 11]]]``."""
    return [[segment.name, _sent(segment)] for segment in message.segments[:_MOST_SEGMENTS]]


def outline_of_shape(shape: list[list[object]]) -> tuple[OutlinedSegment, ...]:
    """Return in words a message of which only its shape is left."""
    return tuple(
        OutlinedSegment(
            name=str(name),
            title=segment_name(str(name)),
            fields=tuple(_field(str(name), int(number), "") for number in numbers),
        )
        for name, numbers in shape
        if isinstance(numbers, list)
    )


def _field(segment: str, number: int, value: str) -> OutlinedField:
    return OutlinedField(
        number=number,
        place=f"{segment}-{number}",
        name=field_name(segment, number),
        value=value,
        use=field_use(segment, number),
    )


def _sent(segment: Segment) -> list[int]:
    return [number for number in range(1, _MOST_FIELDS + 1) if segment.raw(number)]


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """How the values of one message are put in words."""

    encoding: Encoding
    region: str
    is_full: bool

    def __call__(self, segment: Segment, number: int) -> str:
        place = (segment.name, number)
        if segment.raw(number) == NULL:
            return DELETED
        if self.is_full or place in SHOWN:
            return self._text(segment, number)
        return self._masked_phones(segment, number) if place in PHONES else HIDDEN

    def _text(self, segment: Segment, number: int) -> str:
        if segment.name in _HEADERS and number <= 2:  # noqa: PLR2004 - the delimiters themselves
            return segment.raw(number)
        separator = self.encoding.delimiters.component
        values = [
            separator.join(one.raw.split(separator)[: None if self.is_full else _CODED_COMPONENTS]).rstrip(separator)
            for one in segment.repetitions(number)[:_MOST_REPETITIONS]
        ]
        return self.encoding.unescape(self.encoding.delimiters.repetition.join(values))[:_LONGEST_VALUE]

    def _masked_phones(self, segment: Segment, number: int) -> str:
        numbers = numbers_in(segment.repetitions(number)[:_MOST_REPETITIONS], region=self.region)
        return ", ".join(map(mask, numbers)) or NOT_A_PHONE

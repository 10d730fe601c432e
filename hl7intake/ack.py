r"""Answers to messages: original and enhanced acknowledgement mode.

Source: HL7 v2.5.1 chapter 2, sections 2.9.2 and 2.9.3 (processing rules) and 2.15.8, 2.15.5 (MSA, ERR).
Original mode (MSH-15 and MSH-16 empty) answers AA, AE or AR. Enhanced mode answers at most an accept
acknowledgement (CA, CE, CR) as MSH-15 asks and, if that was positive, an application acknowledgement as
MSH-16 asks; nearly every sender asks for ``AL|NE`` and so gets one answer.
"""

import os
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import count

from hl7intake.batches import Frame
from hl7intake.errors import AckCode, Condition, MessageRefused
from hl7intake.reader import Envelope, Header, read_header

_ACCEPT_CODES = {AckCode.ACCEPT: "CA", AckCode.ERROR: "CE", AckCode.REJECT: "CR"}
_ALWAYS, _ON_ERROR, _ON_SUCCESS = "AL", "ER", "SU"
_LONGEST_TEXT = 200
_SEGMENT_END = "\r"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the sender is told.

    :param text: a sentence for the analyst; holds nothing of a patient.
    """

    code: AckCode
    text: str = ""
    condition: Condition | None = None
    location: str = ""

    @classmethod
    def of(cls, refusal: MessageRefused) -> "Verdict":
        """Return the verdict that ``refusal`` stands for."""
        return cls(
            code=refusal.acknowledgment,
            text=refusal.user_message,
            condition=refusal.condition,
            location=refusal.location,
        )


def answers(header: Header, verdict: Verdict, *, now: datetime) -> tuple[bytes, ...]:
    """Return the messages to answer with: one in original mode, none to two in enhanced mode."""
    return tuple(_message(header, verdict, code=code, now=now) for code in codes(header, verdict.code))


def batch_answer(frame: Frame, answers: list[bytes], *, now: datetime) -> bytes:
    """Return one batch that holds ``answers``, named after the batch that they answer (FHS and BHS swapped)."""
    parts = [_batch_header(header, now=now) for header in (frame.file_header, frame.batch_header) if header]
    trailers = [f"BTS|{len(answers)}".encode()] if frame.batch_header else []
    trailers += [b"FTS|1"] if frame.file_header else []
    return b"".join(part.rstrip(b"\r") + b"\r" for part in (*parts, *answers, *trailers))


def _batch_header(line: bytes, *, now: datetime) -> bytes:
    """Return FHS or BHS of the answer: sender and receiver swapped, field 12 refers to field 11."""
    name = line[:3].decode("ascii")
    envelope = read_header(b"MSH" + line[3:]).envelope
    delimiters = envelope.encoding.delimiters
    fields = [
        name,
        "".join(delimiters[1:]),
        envelope.receiving_application,
        envelope.receiving_facility,
        envelope.sending_application,
        envelope.sending_facility,
        _stamp(int(now.timestamp())),
        "",
        "",
        "",
        _CONTROL_IDS.next(),
        envelope.processing_id,  # field 11 of a batch header is its control id
    ]
    return delimiters.field.join(fields).encode("utf-8", "replace")


def codes(header: Header, code: AckCode) -> tuple[str, ...]:
    """Return the MSA-1 codes to answer ``code`` with, in the mode that ``header`` asks for."""
    envelope = header.envelope
    return _codes(envelope.accept_acknowledgment, envelope.application_acknowledgment, code)


@lru_cache(maxsize=64)
def _codes(accept: str, application: str, code: AckCode) -> tuple[str, ...]:
    if not accept and not application:
        return (code.value,)
    found = (_ACCEPT_CODES[code],) if _is_wanted(accept, code) else ()
    # A refusal at the first level is the whole answer; so is one where only the second level listens.
    if _is_wanted(application, code) and (code is AckCode.ACCEPT or not found):
        return (*found, code.value)
    return found


def _is_wanted(mode: str, code: AckCode) -> bool:
    return mode in {_ALWAYS, _ON_SUCCESS if code is AckCode.ACCEPT else _ON_ERROR}


def _message(header: Header, verdict: Verdict, *, code: str, now: datetime) -> bytes:
    encoding = header.envelope.encoding
    text = encoding.escape(verdict.text[:_LONGEST_TEXT]) if verdict.text else ""
    segments = [_msh(header, now=now), encoding.field.join(["MSA", code, header.control_id, text])]
    if verdict.condition is not None:
        segments.append(_err(header, verdict, verdict.condition, text=text))
    charset = "utf-8" if encoding.charset == "ascii" else encoding.charset
    return (_SEGMENT_END.join(segments) + _SEGMENT_END).encode(charset, "replace")


def _msh(header: Header, *, now: datetime) -> str:
    to_time, to_control_id, to_end = _msh_around(header.envelope)
    return f"{to_time}{_stamp(int(now.timestamp()))}{to_control_id}{_CONTROL_IDS.next()}{to_end}"


@lru_cache(maxsize=256)
def _msh_around(envelope: Envelope) -> tuple[str, str, str]:
    """Return MSH of an answer without time and control id: what is before, between and behind them."""
    delimiters = envelope.encoding.delimiters
    field, component, trigger = delimiters.field, delimiters.component, envelope.trigger
    parties = (
        envelope.receiving_application,
        envelope.receiving_facility,
        envelope.sending_application,
        envelope.sending_facility,
    )
    kind = f"ACK{component}{trigger}{component}ACK" if trigger.isalnum() else "ACK"
    ends = [envelope.processing_id or "P", envelope.version or "2.3"]
    if envelope.charset:
        ends += ["", "", "", "", "", envelope.charset]
    return (
        field.join(["MSH", "".join(delimiters[1:]), *parties, ""]),
        field.join(["", "", kind, ""]),
        field.join(["", *ends]),
    )


# Many answers are given within one second.
@lru_cache(maxsize=4)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime(second))


class _ControlIds:
    """Control ids of our own: no other process has the first part, and none of ours the second."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._process = uuid.uuid4().hex[:13].upper()
        self._numbers = count()

    def next(self) -> str:
        return f"{self._process}{next(self._numbers) % 0x10000000:07X}"


_CONTROL_IDS = _ControlIds()


def _err(header: Header, verdict: Verdict, condition: Condition, *, text: str) -> str:
    """Return ERR with the layout of v2.3 (field 1) and of v2.5 (fields 2 to 8) side by side."""
    delimiters = header.envelope.encoding.delimiters
    place = verdict.location.replace("^", delimiters.component)
    # ERR-1 is segment, sequence, field and then the code with its text as subcomponents.
    parts = [*verdict.location.split("^"), "", ""][:3]
    old = delimiters.component.join([*parts, f"{condition.code}{delimiters.subcomponent}{condition.label}"])
    table = delimiters.component.join([condition.code, condition.label, "HL70357"])
    return delimiters.field.join(["ERR", old, place, table, "E", "", "", "", text])

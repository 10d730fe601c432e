"""The first look at a message, before it is stored: what it is, and whether it can be accepted at all.

Pure: no database, no clock. It reads no more than the answer needs; what the message means for a visit is
read when it takes effect.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple

from hl7intake.ack import Verdict
from hl7intake.appointments import Subject, identify, read_trigger
from hl7intake.errors import AckCode, MessageRefused
from hl7intake.reader import Header, Limits, Message, header_of, read, read_header
from hl7intake.rules import FALLBACK_CHARSET, Rules

_ACCEPTED = Verdict(code=AckCode.ACCEPT)
_NOBODY = Subject()
_UNREAD = Header()


class Examined(NamedTuple):
    """A message and the verdict on it.

    :param error_code: why it is refused, such as ``hl7.start_missing``; empty when it is accepted.
    :param subject: which appointment an accepted message is about; empty while nothing is approved for its sender.
    """

    raw: bytes
    sha256: str
    header: Header
    charset: str
    verdict: Verdict
    error_code: str = ""
    subject: Subject = _NOBODY

    @property
    def is_accepted(self) -> bool:
        """Whether it is to take effect."""
        return not self.error_code


def examine(raw: bytes, *, rules: Rules | None, limits: Limits, now: datetime, charset: str | None = None) -> Examined:
    """Return what ``raw`` is; never raises for what a sender can write.

    :param rules: of the sender; None when nothing is approved yet, and then only the envelope is looked at.
    :param charset: what the transport says the bytes are; wins over MSH-18.
    """
    header, used, message = _UNREAD, "", None
    subject, verdict, code = _NOBODY, _ACCEPTED, ""
    try:
        message = read_message(raw, rules=rules, limits=limits, charset=charset)
        msh = message.first("MSH")
        header, used = header_of(msh, message.encoding), message.charset
        if rules is None:
            read_trigger(msh)
        else:
            subject = identify(message, rules=rules, now=now)
    except MessageRefused as refusal:
        verdict, code = Verdict.of(refusal), refusal.code
        header = header if message is not None else read_header(raw)
    return Examined(raw, hashlib.sha256(raw).hexdigest(), header, used, verdict, code, subject)


def read_message(raw: bytes, *, rules: Rules | None, limits: Limits, charset: str | None = None) -> Message:
    """Take a message apart with the sender's fallback character set.

    :raises MessageRefused: as :func:`hl7intake.reader.read` does.
    """
    fallback = rules.fallback_charset if rules is not None else FALLBACK_CHARSET
    return read(raw, limits=limits, charset=charset, fallback=fallback)

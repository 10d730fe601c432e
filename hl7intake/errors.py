"""Why a message is refused, in the words of HL7: an acknowledgement code, a place and table 0357."""

from enum import Enum, StrEnum

from core.errors import InvalidMessage


class AckCode(StrEnum):
    """Table 0008, original mode: accepted; refused now, may be sent again; refused for good."""

    ACCEPT = "AA"
    ERROR = "AE"
    REJECT = "AR"


class Condition(Enum):
    """HL7 table 0357: what is wrong, as ERR-3 says it."""

    SEGMENT_SEQUENCE = "100", "Segment sequence error"
    REQUIRED_FIELD = "101", "Required field missing"
    DATA_TYPE = "102", "Data type error"
    UNSUPPORTED_TYPE = "200", "Unsupported message type"
    UNSUPPORTED_EVENT = "201", "Unsupported event code"
    DUPLICATE_KEY = "205", "Duplicate key identifier"
    INTERNAL = "207", "Application internal error"

    def __init__(self, code: str, label: str) -> None:
        self.code = code
        self.label = label


class MessageRefused(InvalidMessage):
    """A message that is answered with AE or AR and has no effect.

    :param code: our own stable name, such as ``hl7.start_missing``.
    :param user_message: what the analyst should do; holds nothing of a patient.
    :param condition: table 0357.
    :param location: ERR-2, such as ``SCH^1^11``; empty when no single place is at fault.
    :param acknowledgment: AR when the same message can never be accepted, else AE.
    """

    def __init__(
        self,
        code: str,
        user_message: str,
        *,
        condition: Condition,
        location: str = "",
        acknowledgment: AckCode = AckCode.ERROR,
    ) -> None:
        super().__init__(code, user_message)
        self.condition = condition
        self.location = location
        self.acknowledgment = acknowledgment

"""Tables of the sandbox, one module per twin."""

from sandbox.models.epic import Appointment, OutgoingMessage
from sandbox.models.ledger import LedgerEntry
from sandbox.models.setup import Fault, Once, Setup, TwinKey
from sandbox.models.sms import NetworkOptOut, NumberOperation, SenderNumber, Supplier, Text
from sandbox.models.teams import Attendant, Call, Meeting, Subscription

__all__ = [
    "Appointment",
    "Attendant",
    "Call",
    "Fault",
    "LedgerEntry",
    "Meeting",
    "NetworkOptOut",
    "NumberOperation",
    "Once",
    "OutgoingMessage",
    "SenderNumber",
    "Setup",
    "Subscription",
    "Supplier",
    "Text",
    "TwinKey",
]

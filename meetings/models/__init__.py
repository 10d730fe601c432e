from meetings.models.graph import InboundNotification, RecordSubscription, Subscription
from meetings.models.meeting import Meeting
from meetings.models.people import Connection, Observation, Participant, PresenceEvent

__all__ = [
    "Connection",
    "InboundNotification",
    "Meeting",
    "Observation",
    "Participant",
    "PresenceEvent",
    "RecordSubscription",
    "Subscription",
]

"""News about meetings, sent inside the transaction that made it.

Receivers write outbox rows and enqueue; if they cannot, the change must not happen either.
"""

from django.dispatch import Signal

presence_changed = Signal()  # arguments: participant, event (a new PresenceEvent), now
meeting_wanted = Signal()  # arguments: meeting, now; somebody will join one that Teams has not made yet
meeting_created = Signal()  # arguments: meeting, now; it has addresses to join by, and is not listened to yet
meeting_ended = Signal()  # arguments: meeting, now; everybody has left
people_expected = Signal()  # arguments: participant, now; somebody is on the way into Teams
call_recorded = Signal()  # arguments: organization, record_id (Graph's), now; it need not be a visit's call

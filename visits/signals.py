"""News about visits, sent inside the transaction that made it.

Receivers write outbox rows and enqueue; if they cannot, the change must not happen either.
Every signal has the arguments ``visit`` and ``now``, unless it says otherwise.
"""

from django.dispatch import Signal

visit_scheduled = Signal()  # new in our books
visit_moved = Signal()  # other start; `version` has grown
visit_contacts_changed = Signal()  # same start, but a number or language changed
visit_ended = Signal()  # cancelled, no-show or entered in error; see `visit.state`

# Numbers are being erased, or rows that hold them deleted. Argument: ``contact_ids``.
contacts_purged = Signal()

"""News from accounts."""

from django.dispatch import Signal

# A staff user has signed in through Entra, or was confirmed by it.
# Arguments: user, roles (set of Role), tenant_id (UUID).
staff_signed_in = Signal()

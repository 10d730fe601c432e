"""News from the configuration portal, sent inside the transaction that made it."""

from django.dispatch import Signal

# A configuration was approved and is what runs from now on. Arguments: endpoint, version.
configuration_approved = Signal()

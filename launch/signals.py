"""News about ways into a visit, sent inside the transaction that made it."""

from django.dispatch import Signal

device_tested = Signal()  # arguments ``test`` (a DeviceTest) and ``now``

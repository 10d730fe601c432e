"""The portal's own lines of the pre-flight check; see :mod:`config_portal.doctor`."""

from config_portal import doctor
from config_portal.checks import address, keys


def register() -> None:
    """Put the portal's own lines on the list."""
    for check in (*address.CHECKS, *keys.CHECKS):
        doctor.register(check)

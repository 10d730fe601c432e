"""The portal's own steps of the setup, one module each; see :mod:`config_portal.wizard`."""

from config_portal.steps import approve, endpoints, keys, organization, preflight, review


def register() -> None:
    """Put the portal's own steps on the list."""
    for step in (organization, keys, endpoints, preflight, approve, review):
        step.register()

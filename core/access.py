"""Who may open an address. Every view says so; a test compares them all with the access table."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def access(rule: str) -> Callable[[View], View]:
    """Mark a view with its access rule without enforcing anything.

    Rules in use: ``public`` (anybody, discloses nothing), ``signed`` (another system, verified by
    signature or secret in the view), ``token`` (a script with a scoped token of the REST API), ``launch``
    (bound to a launch's or visit's cookie), ``operator`` (superusers) and ``portal: <roles>``, which
    ``config_portal.access`` enforces.
    """

    def mark(view: View) -> View:
        view.access = rule  # type: ignore[attr-defined]  # read by the access-table test
        return view

    return mark

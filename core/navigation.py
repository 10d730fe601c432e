"""The portal's rail: apps register their pages, the layout shows those a person may open.

Apps call :func:`register` from ``AppConfig.ready``, so that the layout needs to know none of them.
The sandbox process registers its own pages in the same way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One page of the rail.

    :param url_name: name of a URL without arguments; an item whose URL is not wired stays hidden.
    :param order: lowest first; the portal uses tens, from Setup 10 to Settings 60.
    :param roles: who sees it; empty means everybody who sees the layout.
    :param icon: name of a drawing in ``core/static/core/icons``.
    """

    label: str
    url_name: str
    order: int
    roles: frozenset[str] = frozenset()
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class NavLink:
    """A rail item as one person sees it on one page."""

    label: str
    url: str
    icon: str
    is_current: bool


_items: dict[str, NavItem] = {}


def register(item: NavItem) -> None:
    """Add a page to the rail; registering a URL name again replaces its item."""
    _items[item.url_name] = item


def unregister(url_name: str) -> None:
    """Take a page off the rail; unknown names are ignored."""
    _items.pop(url_name, None)


def links_for(request: HttpRequest) -> list[NavLink]:
    """Return the rail for this person, in order, with the page they are on marked."""
    roles = _roles_of(request)
    allowed = [item for item in _items.values() if roles is None or not item.roles or item.roles & roles]
    reachable = [(item, url) for item in sorted(allowed, key=_position) if (url := _url_of(item))]
    current = _current_url(request.path, (url for _, url in reachable))
    return [NavLink(label=item.label, url=url, icon=item.icon, is_current=url == current) for item, url in reachable]


def _position(item: NavItem) -> tuple[int, str]:
    return item.order, item.label


def _url_of(item: NavItem) -> str:
    try:
        return reverse(item.url_name)
    except NoReverseMatch:
        return ""


def _current_url(path: str, urls: Iterable[str]) -> str:
    """Return the deepest of ``urls`` that ``path`` lies under, or ''."""
    return max((url for url in urls if path.startswith(url)), key=len, default="")


def _roles_of(request: HttpRequest) -> frozenset[str] | None:
    """Return the person's roles, or None for a superuser, who sees every page.

    ``request.roles`` (in the organization being worked in) comes before ``user.roles``.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return frozenset()
    if user.is_superuser:
        return None
    roles = getattr(request, "roles", None)
    return frozenset(str(role) for role in (getattr(user, "roles", ()) if roles is None else roles))

"""What every layout knows about the page it frames, and the two things views tell it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from django.http import HttpRequest
from django.utils import timezone

from core import session_limits
from core.context import request_id
from core.navigation import NavLink, links_for

PRODUCT_NAME = "EHR connector"
THEME_COOKIE = "theme"
THEMES = ("system", "light", "dark")

# A dark sheet that is not for paper: printed pages are always light.
_DARK_SHEET_MEDIA = {"system": "screen and (prefers-color-scheme: dark)", "light": "not all", "dark": "screen"}


@dataclass(frozen=True, kw_only=True)
class EnvironmentBand:
    """Names the environment a page belongs to; set it as ``request.environment_band``.

    :param name: what the hospital calls the FHIR endpoint, such as ``lamna-test``.
    :param detail: the FHIR base URL or another line that tells endpoints apart.
    """

    environment: Literal["test", "production"] | str
    name: str = ""
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorPage:
    """The words of ``core/error.html``: what happened, what to do, who can do it.

    :param reference: the number support staff search for; the request id when left empty.
    """

    title: str
    happened: str = ""
    todo: str = ""
    who: str = ""
    reference: str = ""
    action_label: str = ""
    action_url: str = ""


@dataclass(frozen=True)
class Page:
    """The frame around one response; every part is optional, in the sandbox most are absent."""

    request: HttpRequest

    @property
    def product(self) -> str:
        """The product's name in the top bar and in titles."""
        return PRODUCT_NAME

    @property
    def theme(self) -> str:
        """The look the person chose: system, light or dark."""
        chosen = self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "system"

    @property
    def dark_media(self) -> str:
        """The media query under which the dark tokens apply."""
        return _DARK_SHEET_MEDIA[self.theme]

    @property
    def organization_name(self) -> str:
        """The organization the page is about, or ''."""
        return str(getattr(getattr(self.request, "organization", None), "name", ""))

    @property
    def organizations(self) -> list[Any]:
        """The organizations the person may switch to; empty when there is no choice."""
        choices: Iterable[Any] = getattr(self.request, "organizations", ())
        listed = list(choices)
        return listed if len(listed) > 1 else []

    @property
    def navigation(self) -> list[NavLink]:
        """The rail for this person."""
        return links_for(self.request)

    @property
    def band(self) -> EnvironmentBand | None:
        """The environment the view said the page belongs to."""
        return getattr(self.request, "environment_band", None)

    @property
    def user_name(self) -> str:
        """The signed-in person's name, or ''."""
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return ""
        return str(user.get_full_name() or user.get_username())

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        given = getattr(getattr(self.request, "user", None), "initials", "")
        return str(given) or self.user_name[:2].upper()

    @property
    def session_seconds(self) -> int:
        """Seconds until a signed-in session ends without a sign of life, 0 when nobody is signed in."""
        session = getattr(self.request, "session", None)
        if session is None or not self.user_name:
            return 0
        return session_limits.seconds_left(session, now=timezone.now())

    @property
    def session_can_extend(self) -> bool:
        """Whether the person can make the session longer."""
        session = getattr(self.request, "session", None)
        return session is not None and session_limits.can_be_extended(session, now=timezone.now())

    @property
    def reference(self) -> str:
        """The request id, which support staff can search for."""
        return request_id()

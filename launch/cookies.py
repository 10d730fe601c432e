"""The two cookies of a launch: ``__Host-lx`` binds it to the browser, ``__Host-visit`` says which visit it reached.

Epic shows pages in frames of another site, where only partitioned cookies survive (CHIPS). ``__Host-`` keeps
other hosts from setting them, and SameSite=None lets them travel with the way back from Epic.
"""

import hmac
import re
import secrets
from datetime import timedelta
from hashlib import sha256
from http.cookies import Morsel
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from core.queries import Lookup
from launch.models import LaunchAttempt

LAUNCH_COOKIE = "__Host-lx"
VISIT_COOKIE = "__Host-visit"
LAUNCH_LASTS = timedelta(minutes=15)  # longer than the state that is bound to it
VISIT_LASTS = timedelta(hours=8)
_LAUNCH_VALUE = re.compile(r"[\w-]{43}")  # 256 bits
OPENS_IN_COOKIE = "__Host-open"
OPENS_IN_LASTS = timedelta(days=365)
APP, BROWSER = "app", "browser"
_SALT = "launch.visit"
_WINDOW_SALT = "launch.window"

# Python 3.11 does not know the attribute and would refuse to write it (3.14 does).
Morsel._reserved.setdefault("partitioned", "Partitioned")  # type: ignore[attr-defined]  # noqa: SLF001 - the only place it can be told
Morsel._flags.add("partitioned")  # type: ignore[attr-defined]  # noqa: SLF001
_ATTEMPTS = Lookup(
    lambda: LaunchAttempt.objects.select_related(
        "endpoint__approved_version", "endpoint__organization", "visit", "contact", "join_link"
    ),
    "id",
)


def set_cookie(response: HttpResponseBase, name: str, value: str, *, lasts: timedelta) -> None:
    """Set one of our cookies with every protection it needs."""
    response.set_cookie(name, value, max_age=lasts, path="/", secure=True, httponly=True, samesite="None")
    response.cookies[name]["partitioned"] = True


def digest(value: str) -> str:
    """Return the SHA-256 under which a secret of the browser is stored."""
    return sha256(value.encode()).hexdigest()


def launch_cookie(request: HttpRequest) -> str:
    """Return the value of this browser's launch cookie, or '' when it has none of ours."""
    value = request.COOKIES.get(LAUNCH_COOKIE, "")
    return value if _LAUNCH_VALUE.fullmatch(value) else ""


def renew_launch_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give this browser its launch cookie, or more time with the one it has: other launches may rely on it."""
    value = launch_cookie(request) or secrets.token_urlsafe(32)
    set_cookie(response, LAUNCH_COOKIE, value, lasts=LAUNCH_LASTS)


def remember_visit(response: HttpResponseBase, attempt: LaunchAttempt) -> None:
    """Let this browser, and no other, go on with the visit that ``attempt`` reached."""
    set_cookie(response, VISIT_COOKIE, signing.dumps(str(attempt.pk), salt=_SALT), lasts=VISIT_LASTS)


def current_attempt(request: HttpRequest) -> LaunchAttempt | None:
    """Return the attempt that this browser's cookie vouches for, or None."""
    try:
        attempt_id = signing.loads(request.COOKIES.get(VISIT_COOKIE, ""), salt=_SALT, max_age=VISIT_LASTS)
    except signing.BadSignature:
        return None
    return _find(attempt_id)


def window_ticket(attempt: LaunchAttempt) -> str:
    """Return what lets a form of the page behind ``attempt`` open a window of its own (:func:`attempt_of_window`)."""
    return signing.dumps(str(attempt.pk), salt=_WINDOW_SALT)


def attempt_of_window(request: HttpRequest) -> LaunchAttempt | None:
    """Return the attempt whose page opened this window by a form of ours, or None.

    A page in Epic's frame keeps its cookies apart from those of the windows it opens: browsers keep cookies for
    each site at the top. The form brings a ticket instead, and the browser vouches that it is our own page's form.
    """
    ours = urlsplit(settings.PUBLIC_URL)
    if request.headers.get("Origin") != f"{ours.scheme}://{ours.netloc}":
        return None
    try:
        attempt_id = signing.loads(request.POST.get("ticket", ""), salt=_WINDOW_SALT, max_age=VISIT_LASTS)
    except signing.BadSignature:
        return None
    return _find(attempt_id)


def opens_in(request: HttpRequest) -> str:
    """Return whether this browser opened Teams in the ``app`` or the ``browser`` last, or ''."""
    value = request.COOKIES.get(OPENS_IN_COOKIE, "")
    return value if value in {APP, BROWSER} else ""


def _find(attempt_id: str) -> LaunchAttempt | None:
    attempt = _ATTEMPTS.find(attempt_id)
    if attempt is not None:
        _share_endpoint(attempt)
    return attempt


def _share_endpoint(attempt: LaunchAttempt) -> None:
    """Let the visit have the endpoint that was read with the attempt, and the way in its visit: they are the same."""
    attempt.organization = attempt.endpoint.organization
    for way_in in (attempt.invitation, attempt.join_link):
        if way_in is not None and attempt.visit is not None and way_in.visit_id == attempt.visit_id:
            way_in.visit = attempt.visit
    for visit in (attempt.visit, attempt.visit and attempt.visit.group_visit):
        if visit is not None and visit.endpoint_id == attempt.endpoint_id:
            visit.endpoint, visit.organization = attempt.endpoint, attempt.endpoint.organization


def form_token(attempt: LaunchAttempt) -> str:
    """Return what a form of the visit's pages must carry.

    Django's own token needs a cookie that frames lose; this one follows from the visit's cookie alone.
    """
    return signing.Signer(salt="launch.form").signature(str(attempt.pk))


def is_form_token(given: str, attempt: LaunchAttempt) -> bool:
    """Return whether ``given`` was written into our pages for ``attempt``, and for no other visit."""
    return hmac.compare_digest(given.encode(), form_token(attempt).encode())

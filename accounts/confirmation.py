"""Ask Entra again whether somebody who is signed in is still who they were, without signing them out.

Entra issues an id_token only for an account that exists and is not blocked, with the user name and app roles
of that moment. A person with a session at Microsoft notices nothing but a redirect. What can be verified is
that the token was issued after we asked, for this very account; ``prompt`` and ``max_age`` are not asked for,
because Entra's id_tokens carry no ``auth_time`` by which they could be checked.
"""

from datetime import datetime

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import AuthProcess
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from accounts.models import User
from core.errors import ConnectorError, UpstreamUnavailable

PROVIDER = "entra"
_KEY = "entra_confirmed_at"


def address(request: HttpRequest, user: User, *, next_url: str) -> str:
    """Return the address at Entra that confirms ``user`` and leads back to ``next_url``.

    :raises UpstreamUnavailable: ``sign_in.entra_unavailable``.
    """
    provider = get_adapter().get_provider(request, PROVIDER)
    try:
        response = provider.redirect(
            request, process=AuthProcess.REDIRECT, next_url=next_url, auth_params={"login_hint": user.username}
        )
    except (requests.RequestException, ConnectorError, KeyError, ValueError) as error:
        raise entra_is_away(error) from error
    return str(response["Location"])


def entra_is_away(error: Exception) -> UpstreamUnavailable:
    """Return the error for an Entra that did not answer as it should."""
    return UpstreamUnavailable(
        "sign_in.entra_unavailable", "Microsoft's sign-in service did not answer.", detail=type(error).__name__
    )


def note(session: SessionBase, *, now: datetime) -> None:
    """Note that Entra has just confirmed whose session this is."""
    session[_KEY] = now.isoformat()


def confirmed_at(session: SessionBase) -> datetime | None:
    """Return when Entra last confirmed whose session this is, since it began; None when it did not."""
    noted = session.get(_KEY)
    return datetime.fromisoformat(noted) if noted else None

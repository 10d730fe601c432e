"""Who calls: a script with a token of one organization, never a browser with a cookie."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from config_portal.models import ApiToken, Organization
from config_portal.services.api_tokens import find_token
from core import scope

if TYPE_CHECKING:  # the settings name this module, and REST framework's views read the settings
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Script:
    """The caller as REST framework's ``request.user``: whatever the token may do, and nothing of a person."""

    is_authenticated = True
    is_active = True
    is_superuser = False

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    @property
    def username(self) -> str:
        """What the audit trail calls it."""
        return f"api:{self.token.name}"


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer ehc_…``."""

    def authenticate(self, request: "Request") -> tuple[Script, ApiToken] | None:
        """Return the script and its token; None when none was sent.

        :raises AuthenticationFailed: for a token that is unknown, expired or revoked; which one is not said.
        """
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find_token(secret.strip(), now=timezone.now())
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.", code="api.token_refused")
        scope.enter(scope.of_organization(token.organization_id))
        return Script(token), token

    def authenticate_header(self, request: HttpRequest) -> str:
        """Return what a 401 answer asks for (RFC 6750)."""
        return 'Bearer realm="EHR connector"'


class HasScope(BasePermission):
    """The view's ``scopes`` names for each method what the token needs."""

    message = "The token has no scope for this."

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        """Return whether the token may do this; a method without a scope may nobody."""
        needed: dict[str, str] = getattr(view, "scopes", {})
        token = request.auth
        return isinstance(token, ApiToken) and needed.get(str(request.method)) in token.scopes


def organization_of(request: "Request") -> Organization:
    """Return the organization whose token was sent."""
    assert isinstance(request.auth, ApiToken)  # noqa: S101 - HasScope has seen it
    return request.auth.organization


def actor_of(request: "Request") -> str:
    """Return what the audit trail calls the caller."""
    return str(request.user.username)

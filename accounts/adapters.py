"""How allauth signs staff in: through the hospital's Microsoft Entra tenant and no other way.

allauth calls, in this order: ``populate_user`` while it reads the id_token, ``pre_social_login`` after it
looked for a known account, ``save_user`` for a new one, ``pre_login`` before the session begins.
Checked against allauth 65.21.1.
"""

import functools
import secrets
from typing import Any, cast

import requests
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import confirmation
from accounts.claims import SignInRefused, StaffClaims, read_claims
from accounts.models import User
from accounts.services import sign_in
from core.http import CONNECT_SECONDS, READ_SECONDS, build_session
from core.views import refusal

_STATE_BYTES = 32
_TITLE = "You are not signed in"


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed throughout
    """Accounts are made by an Entra sign-in only: no sign-up, no password, no e-mail."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: nobody signs up."""
        return False

    def pre_login(self, request: HttpRequest, user: User, **login: Any) -> HttpResponse | None:
        """Store what Entra said before the session begins, so that a failure leaves nobody signed in."""
        response: HttpResponse | None = super().pre_login(request, user, **login)
        sociallogin = (login.get("signal_kwargs") or {}).get("sociallogin")
        if response is None and sociallogin is not None:
            sign_in.renew(user, _claims(sociallogin), action="staff.signed_in")
        return response

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Explain that the account was switched off here."""
        error = SignInRefused("sign_in.inactive", "Your account was switched off in the EHR connector.")
        return _refuse(request, error, todo="Ask the administrator of the EHR connector to switch it on.")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: every page shows who is signed in."""


class EntraAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth is not typed throughout
    """Who may sign in, under which identity, and what is kept of the id_token."""

    def get_requests_session(self) -> requests.Session:
        """Return our guarded session with time limits for every call."""
        session = build_session()
        limited = functools.partial(session.request, timeout=(CONNECT_SECONDS, READ_SECONDS))
        session.request = limited  # type: ignore[method-assign]  # the way allauth itself limits them
        return session

    def generate_state_param(self, state: dict[str, Any]) -> str:
        """Return 256 random bits; allauth's own have fewer than 128."""
        return secrets.token_urlsafe(_STATE_BYTES)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Refuse whom we do not know as staff, and keep nothing but identity, user name and roles."""
        token = (sociallogin.account.extra_data or {}).get("id_token") or {}
        claims = _accept(request, token)
        sociallogin.account.uid = claims.uid
        sociallogin.account.extra_data = claims.as_stored()
        sociallogin.email_addresses = []  # an address must never lead to an account
        user = cast("User", sociallogin.user)
        user.username = claims.username
        user.entra_tenant_id, user.entra_object_id = claims.tenant_id, claims.object_id
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Allow signing in and being confirmed, not linking to another account; recognize a user without a link."""
        process = sociallogin.state.get("process")
        if process == AuthProcess.REDIRECT and request.user.is_authenticated:
            _confirm(request, _claims(sociallogin))
            return
        if process != AuthProcess.LOGIN:
            error = SignInRefused("sign_in.not_a_sign_in", "Accounts cannot be linked.")
            raise ImmediateHttpResponse(_refuse(request, error))
        if not sociallogin.is_existing:
            user = sign_in.find_user(_claims(sociallogin))
            if user is not None:
                sociallogin.user = user
                sociallogin.save(request, connect=True)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Return True: whoever came this far belongs to the tenant and has a role."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: object = None) -> User:
        """Store a new user under a free user name and without a password."""
        user = cast("User", sociallogin.user)
        user.set_unusable_password()
        user.username = sign_in.available_username(_claims(sociallogin))
        sociallogin.save(request)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: object,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Show our page with a reference number when Microsoft or the browser brought no valid answer."""
        if error == AuthError.CANCELLED:
            return
        reason = type(exception).__name__ if exception else str(error)
        refused = SignInRefused("sign_in.failed", "Microsoft's answer could not be used.", detail=reason)
        raise ImmediateHttpResponse(_refuse(request, refused, todo="Go back to the sign-in page and try again."))


def _accept(request: HttpRequest, token: dict[str, Any]) -> StaffClaims:
    """Return the claims of somebody who may sign in, or end the sign-in with a page."""
    try:
        claims = read_claims(token, tenant_id=settings.ENTRA_TENANT_ID)
        sign_in.require_role(claims)
    except SignInRefused as error:
        todo = "Ask your Microsoft 365 administrator to give your account an app role of the EHR connector."
        who = {name: str(token.get(claim, "")) for name, claim in (("object_id", "oid"), ("tenant_id", "tid"))}
        raise ImmediateHttpResponse(_refuse(request, error, todo=todo, **who)) from error
    return claims


def _confirm(request: HttpRequest, claims: StaffClaims) -> None:
    """Note that Entra confirms who is signed in, with today's user name and roles; another account ends here."""
    user = cast("User", request.user)
    if (user.entra_tenant_id, user.entra_object_id) != (claims.tenant_id, claims.object_id):
        error = SignInRefused("sign_in.other_account", f"You are signed in here as {user}, at Microsoft as another.")
        todo = "Go back and choose the account that you are signed in with here."
        raise ImmediateHttpResponse(_refuse(request, error, todo=todo))
    sign_in.renew(user, claims, action="staff.confirmed")
    confirmation.note(request.session, now=timezone.now())


def _claims(sociallogin: SocialLogin) -> StaffClaims:
    return StaffClaims.from_stored(sociallogin.account.extra_data)


def _refuse(request: HttpRequest, error: SignInRefused, *, todo: str = "", **audited: str) -> HttpResponse:
    return refusal(request, error, title=_TITLE, todo=todo, status=403, **audited)

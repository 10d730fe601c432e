"""The sign-in pages: allauth's own, with our access rules, content policy and errors."""

from urllib.parse import urlsplit

import requests
from allauth.account import views as account_views
from allauth.socialaccount import views as social_views
from allauth.socialaccount.providers.openid_connect import views as entra_views
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from accounts.confirmation import entra_is_away
from core.access import access
from core.errors import ConnectorError
from core.security import allow_form_targets
from core.views import refusal


@access("public")
def login(request: HttpRequest) -> HttpResponseBase:
    """Show the sign-in page with its one button."""
    return _may_go_to_entra(account_views.login(request))


@access("public")
def logout(request: HttpRequest) -> HttpResponseBase:
    """Ask whether to sign out, and do it when the form is sent."""
    response: HttpResponseBase = account_views.logout(request)
    return response


@access("public")
def login_cancelled(request: HttpRequest) -> HttpResponseBase:
    """Say that the person went back at Microsoft without signing in."""
    return _may_go_to_entra(social_views.login_cancelled(request))


@access("public")
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Send the browser to Entra; by form only, so that no other site can begin a sign-in."""
    if request.method != "POST":
        return redirect("account_login")
    try:
        return _may_go_to_entra(entra_views.login(request, provider_id))
    except (requests.RequestException, ConnectorError, KeyError, ValueError) as error:
        return _entra_is_away(request, error)


@access("public")
def finish(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Take the browser back from Entra and sign the person in, or explain why not."""
    try:
        response: HttpResponseBase = entra_views.callback(request, provider_id)
    except (requests.RequestException, ConnectorError) as error:
        return _entra_is_away(request, error)
    return response


def _may_go_to_entra(response: HttpResponseBase) -> HttpResponseBase:
    """Let the form lead to Entra: browsers check the redirect behind a form against ``form-action`` too."""
    entra = urlsplit(settings.ENTRA_BASE_URL)
    allow_form_targets(response, [f"{entra.scheme}://{entra.netloc}"])
    return response


def _entra_is_away(request: HttpRequest, error: Exception) -> HttpResponse:
    away = entra_is_away(error)
    return refusal(request, away, title="You are not signed in", todo="Wait a minute and try again.", status=503)

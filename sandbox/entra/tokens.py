"""Entra's token endpoint: authorization codes for people, client credentials for apps."""

import time
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from sandbox import faults, keys, ledger, once, people
from sandbox.entra.clients import authenticate
from sandbox.entra.discovery import issuer, sts_issuer
from sandbox.entra.errors import entra_error
from sandbox.http import oauth_answer
from sandbox.oauth import OAuthRefused, check_pkce, issuer_of

SECONDS = 3599
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
# What an admin consented to for the connector's application.
APP_ROLES = (
    "OnlineMeetings.ReadWrite.All", "OnlineMeetings.Read.All", "OnlineMeetingArtifact.Read.All",
    "VirtualAppointment.Read.All", "CallRecords.Read.All", "User.ReadBasic.All",
)  # fmt: skip

App = dict[str, Any]


@require_POST
def token(request: HttpRequest, tenant: str) -> HttpResponse:
    """Answer a token request of one of the registered apps."""
    if faults.get("entra.token") == "error":
        return HttpResponse(status=503)
    try:
        return oauth_answer(_answer(request, authenticate(request, tenant=tenant), tenant=tenant))
    except OAuthRefused as refused:
        client = request.POST.get("client_id", "") or issuer_of(request.POST.get("client_assertion", ""))
        ledger.record("entra", "token_refused", key=client, error=refused.error, reason=refused.description)
        return entra_error(refused.error, refused.description)


def _answer(request: HttpRequest, app: App, *, tenant: str) -> dict[str, Any]:
    grant = request.POST.get("grant_type")
    if grant == "client_credentials":
        return _app_token(request, app, tenant=tenant)
    if grant == "authorization_code":
        return _user_tokens(request, app, tenant=tenant)
    raise OAuthRefused("unsupported_grant_type", "AADSTS70003: The app asked for an unsupported grant type.")


def _consented() -> list[str]:
    missing = {"no_call_records": "CallRecords.Read.All"}.get(faults.get("entra.consent") or "")
    return [role for role in APP_ROLES if role != missing]


def _app_token(request: HttpRequest, app: App, *, tenant: str) -> dict[str, Any]:
    scope = request.POST.get("scope", "")
    if not scope.endswith("/.default"):
        raise OAuthRefused("invalid_scope", "AADSTS1002012: The scope has to be a resource and /.default.")
    claims = {
        "aud": scope.removesuffix("/.default"), "iss": sts_issuer(tenant), "appid": app["client_id"], "tid": tenant,
        "roles": _consented(), "idtyp": "app", "ver": "1.0", **_times(),
    }  # fmt: skip
    ledger.record("entra", "token_issued", key=app["client_id"], grant="client_credentials")
    return {"token_type": "Bearer", "expires_in": SECONDS, "access_token": keys.sign(claims)}


def _user_tokens(request: HttpRequest, app: App, *, tenant: str) -> dict[str, Any]:
    kept = once.use("entra_code", request.POST.get("code", ""))
    if kept is None or kept["client_id"] != app["client_id"] or kept["tenant"] != tenant:
        raise OAuthRefused("invalid_grant", "AADSTS54005: The code was redeemed already, expired or is another app's.")
    if kept["redirect_uri"] != request.POST.get("redirect_uri"):
        raise OAuthRefused("invalid_grant", "AADSTS50011: The redirect address differs from the one of the request.")
    check_pkce(kept["code_challenge"], request.POST.get("code_verifier", ""))
    person = people.find(kept["oid"])
    if person is None:
        raise OAuthRefused("invalid_grant", "AADSTS50034: The account is not in the directory.")
    access = {"aud": GRAPH_APP_ID, "iss": sts_issuer(tenant), "oid": person.oid, "scp": kept["scope"], **_times()}
    ledger.record("entra", "token_issued", key=app["client_id"], grant="authorization_code", username=person.username)
    return {
        "token_type": "Bearer",
        "expires_in": SECONDS,
        "scope": kept["scope"],
        "access_token": keys.sign(access),
        "id_token": keys.sign(_about(person, kept, tenant=tenant)),
    }


def _about(person: people.Person, kept: dict[str, Any], *, tenant: str) -> dict[str, Any]:
    """Return the claims of an id_token; what the app did not ask for, and what is empty, stays out."""
    scopes, fault = kept["scope"].split(), faults.get("entra.account")
    # Pairwise: another app sees another subject for the same person.
    subject = uuid.uuid5(uuid.NAMESPACE_URL, f"{kept['client_id']}/{person.oid}").hex
    claims = {
        "iss": issuer(tenant), "aud": kept["client_id"], "sub": subject, "oid": person.oid, "tid": tenant,
        "roles": [] if fault == "no_role" else list(person.roles), "nonce": kept["nonce"], "ver": "2.0", **_times(),
    }  # fmt: skip
    if "profile" in scopes:
        username = f"new.{person.username}" if fault == "renamed" else person.username
        claims |= {"name": person.name, "preferred_username": username}
    if "email" in scopes:
        claims |= {"email": person.username}
    return {name: value for name, value in claims.items() if value not in ("", [])}


def _times() -> dict[str, int]:
    now = int(time.time())
    return {"iat": now, "nbf": now, "exp": now + SECONDS}

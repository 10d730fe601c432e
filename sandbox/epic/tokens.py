"""Epic's token endpoint: codes and client credentials, both with a signed client assertion.

Source: Epic OAuth 2.0 specification, "EHR launch", "Backend OAuth 2.0 guide".
"""

import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from sandbox import faults, keys, ledger, once
from sandbox.epic import addresses, identity, launches
from sandbox.epic.clients import Client, authenticate
from sandbox.http import oauth_answer
from sandbox.models import Appointment
from sandbox.oauth import OAuthRefused, check_pkce, issuer_of

SECONDS = 3600


@require_POST
def token(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer a token request of one of the hospital's clients."""
    if faults.get("epic.token") == "error":
        return HttpResponse(status=500)
    try:
        client = authenticate(request, environment=environment)
        return oauth_answer(_answer(request, client, environment=environment))
    except OAuthRefused as refused:
        key = issuer_of(request.POST.get("client_assertion", "")) or request.POST.get("client_id", "")
        ledger.record("epic", "token_refused", key=key, error=refused.error, reason=refused.description[:200])
        # Like the real one: the answer names the kind of error and keeps the reason to itself.
        return oauth_answer({"error": refused.error, "error_description": None}, status=400)


def access_token(client: Client, environment: str) -> str:
    """Return an access token of ``environment`` for ``client``."""
    now = time.time()
    claims = {
        "aud": addresses.interconnect(environment), "client_id": client["client_id"], "jti": once.new_token(),
        "iat": now, "exp": int(now) + SECONDS,
    }  # fmt: skip
    return keys.sign(claims, name=keys.EPIC)


def _answer(request: HttpRequest, client: Client, *, environment: str) -> dict[str, Any]:
    grant = request.POST.get("grant_type")
    if grant == "client_credentials":
        return _for_itself(client, environment=environment)
    if grant == "authorization_code":
        return _for_code(request, client, environment=environment)
    raise OAuthRefused("unsupported_grant_type", str(grant))


def _for_itself(client: Client, *, environment: str) -> dict[str, Any]:
    if client["app"] != "backend":
        raise OAuthRefused("unauthorized_client", "only the backend app may act for itself")
    return _issued(client, environment, scope="")


def _for_code(request: HttpRequest, client: Client, *, environment: str) -> dict[str, Any]:
    kept = once.use("epic_code", request.POST.get("code", ""))
    if kept is None or kept["client_id"] != client["client_id"] or kept["environment"] != environment:
        raise OAuthRefused("invalid_grant", "the code was used, is too old or belongs to another client")
    if kept["redirect_uri"] != request.POST.get("redirect_uri"):
        raise OAuthRefused("invalid_grant", "redirect_uri differs")
    check_pkce(kept["code_challenge"], request.POST.get("code_verifier", ""))
    appointment = Appointment.objects.filter(pk=kept["csn"]).first()
    subject = launches.subject(appointment, kept["audience"]) if appointment else str(kept["subject"])
    answer = _issued(client, environment, scope=kept["scope"], csn=kept["csn"], subject=subject)
    if appointment:
        answer |= launches.context(appointment, kept["audience"])
    if "openid" in kept["scope"].split():
        answer["id_token"] = identity.id_token(kept, subject=subject, environment=environment)
    return answer | {"state": kept["state"]}


def _issued(client: Client, environment: str, *, scope: str, csn: str = "", subject: str = "") -> dict[str, Any]:
    app = client["app"]
    ledger.record("epic", "token_issued", key=csn, client_id=client["client_id"], app=app, sub=subject)
    token = access_token(client, environment)
    return {"access_token": token, "token_type": "bearer", "expires_in": SECONDS, "scope": scope}

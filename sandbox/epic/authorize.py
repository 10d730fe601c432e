"""Epic's authorize endpoint: for launches from Epic without a question, standalone with a sign-in page.

Source: Epic OAuth 2.0 specification; SMART App Launch 2.2.
"""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sandbox import keys, ledger, once, people
from sandbox.epic import addresses, clients
from sandbox.http import with_query

CODE_LASTS = timedelta(minutes=5)
# Real codes are JWTs of several kilobytes; a connector with a column of 255 characters must notice here.
_CODE_LENGTH = 8_500
_KEPT = ("redirect_uri", "nonce", "code_challenge", "scope", "state")

Client = dict[str, Any]


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest, environment: str) -> HttpResponse:
    """Send the browser back with a code, or with the reason why not."""
    given = request.POST if request.method == "POST" else request.GET
    client = clients.find(environment, given.get("client_id", ""))
    if client is None or given.get("redirect_uri") not in client["redirect_uris"]:
        # Never redirect to an address that nobody registered.
        return render(request, "sandbox/epic/refused.html", status=400)
    ledger.record("epic", "authorize", key=client["client_id"], method=str(request.method))
    is_launch = "launch" in given.get("scope", "").split()
    if reason := _refusal(request, given, environment=environment, is_launch=is_launch):
        return _back(given, environment, error=reason[0], error_description=reason[1])
    if is_launch:
        return _launched(given, client, environment=environment)
    return _standalone(request, given, client, environment=environment)


def _refusal(request: HttpRequest, given: QueryDict, *, environment: str, is_launch: bool) -> tuple[str, str] | None:
    if given.get("response_type") != "code":
        return "unsupported_response_type", "response_type has to be code"
    checks = (
        # Required since May 2023.
        (given.get("aud", "").rstrip("/") == addresses.fhir(environment), "aud has to be the FHIR base URL"),
        (bool(given.get("state")), "state is needed"),
        (not given.get("code_challenge") or given.get("code_challenge_method") == "S256", "PKCE has to be S256"),
        (is_launch or request.method == "GET", "a standalone launch is a GET"),
    )
    failed = next((reason for is_met, reason in checks if not is_met), "")
    return ("invalid_request", failed) if failed else None


def _launched(given: QueryDict, client: Client, *, environment: str) -> HttpResponse:
    kept = once.use("launch", given.get("launch", ""))
    if kept is None or kept["client_id"] != client["client_id"] or kept["environment"] != environment:
        reason = "the launch token was used or is not for you"
        return _back(given, environment, error="invalid_request", error_description=reason)
    return _with_code(given, client, environment=environment, csn=kept["csn"], audience=kept["audience"])


def _standalone(request: HttpRequest, given: QueryDict, client: Client, *, environment: str) -> HttpResponse:
    provider = people.PROVIDERS.get(given.get("as", ""))
    if provider is None:
        context = {
            "providers": people.PROVIDERS.values(),
            "fields": list(given.items()),
            "environment": environment,
            "tone": "bad" if environment == "production" else "warn",
        }
        return render(request, "sandbox/epic/sign_in.html", context)
    subject = f"Practitioner/{provider.fhir_id}"
    return _with_code(given, client, environment=environment, audience="standalone", subject=subject)


def _with_code(
    given: QueryDict, client: Client, *, environment: str, audience: str, csn: str = "", subject: str = ""
) -> HttpResponse:
    claims = {"aud": client["client_id"], "jti": once.new_token(), "filler": "x" * _CODE_LENGTH}
    code = keys.sign(claims, name=keys.EPIC)
    once.issue(
        "epic_code", code, lasts=CODE_LASTS, client_id=client["client_id"], environment=environment, csn=csn,
        audience=audience, subject=subject, **{name: given.get(name, "") for name in _KEPT},
    )  # fmt: skip
    return _back(given, environment, code=code)


def _back(given: QueryDict, environment: str, **answer: str) -> HttpResponse:
    """Send the browser back, saying who answers (RFC 9207), so that no other server's answer passes for it."""
    answer |= {"state": given.get("state", ""), "iss": addresses.oauth(environment)}
    return redirect(with_query(str(given["redirect_uri"]), answer))

"""Entra's sign-in page: an account picker instead of passwords."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sandbox import ledger, once, people, setup
from sandbox.http import with_query
from sandbox.people import Person

CODE_LASTS = timedelta(minutes=10)
_KEPT = ("client_id", "redirect_uri", "nonce", "code_challenge", "scope")


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest, tenant: str) -> HttpResponse:
    """Show who may sign in; the chosen account goes back with a code."""
    given = request.POST if request.method == "POST" else request.GET
    app = setup.entra_app(given.get("client_id", ""))
    if tenant != people.TENANT_ID or app is None or given.get("redirect_uri") not in app["redirect_uris"]:
        # Never redirect to an address that nobody registered.
        return render(request, "sandbox/entra/refused.html", status=400)
    if refusal := _refusal(given):
        return _back(given, error=refusal[0], error_description=refusal[1])
    person = people.find(request.POST.get("account", ""))
    if person is None and given.get("prompt") == "none":
        person = people.find_by_username(given.get("login_hint", ""))
        if person is None:
            return _back(given, error="login_required", error_description="AADSTS50058: Nobody is signed in.")
    if person is not None:
        return _signed_in(given, person, tenant=tenant)
    hint = given.get("login_hint", "").lower()
    hinted_first = sorted(people.everybody(), key=lambda account: account.username != hint)
    context = {"people": hinted_first, "fields": list(given.items())}
    return render(request, "sandbox/entra/authorize.html", context)


def _refusal(given: QueryDict) -> tuple[str, str] | None:
    if given.get("response_type") != "code":
        return "unsupported_response_type", "AADSTS700054: Only response_type=code is enabled for this app."
    if given.get("code_challenge") and given.get("code_challenge_method") != "S256":
        return "invalid_request", "AADSTS501491: code_challenge_method has to be S256."
    if "openid" not in given.get("scope", "").split():
        return "invalid_request", "AADSTS900144: The scope has to contain openid."
    return None


def _signed_in(given: QueryDict, person: Person, *, tenant: str) -> HttpResponse:
    code = once.new_token()
    kept = {name: given.get(name, "") for name in _KEPT}
    once.issue("entra_code", code, lasts=CODE_LASTS, oid=person.oid, tenant=tenant, **kept)
    ledger.record("entra", "signed_in", key=kept["client_id"], username=person.username)
    return _back(given, code=code)


def _back(given: QueryDict, **answer: str) -> HttpResponse:
    if state := given.get("state"):
        answer["state"] = state
    return redirect(with_query(str(given["redirect_uri"]), answer))

"""Entra's sign-in page: an account picker instead of passwords."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sandbox import faults, ledger, once, people, setup
from sandbox.http import with_query
from sandbox.people import Person

_SESSION = "sandbox_entra"
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
    person = people.find(request.POST.get("account", "")) or _with_a_session(request, given)
    if person is None and given.get("prompt") == "none":
        person = people.find_by_username(given.get("login_hint", ""))
        if person is None:
            return _back(given, error="login_required", error_description="AADSTS50058: Nobody is signed in.")
    if person is not None and faults.get("entra.account") == "removed":
        return render(request, "sandbox/entra/removed.html", {"person": person}, status=400)
    if person is not None:
        return _signed_in(given, person, tenant=tenant)
    hint = given.get("login_hint", "").lower()
    hinted_first = sorted(people.everybody(), key=lambda account: account.username != hint)
    context = {"people": hinted_first, "fields": list(given.items())}
    return render(request, "sandbox/entra/authorize.html", context)


def _with_a_session(request: HttpRequest, given: QueryDict) -> Person | None:
    """Return who goes through without a click: the hinted account, while the browser has a session of it."""
    person = people.find(request.COOKIES.get(_SESSION, ""))
    is_hinted = person is not None and person.username == given.get("login_hint", "").lower()
    return person if is_hinted and given.get("prompt") not in {"login", "select_account"} else None


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
    response = _back(given, code=code)
    response.set_cookie(_SESSION, person.oid, path="/entra/", httponly=True, samesite="Lax")
    return response


def _back(given: QueryDict, **answer: str) -> HttpResponse:
    if state := given.get("state"):
        answer["state"] = state
    return redirect(with_query(str(given["redirect_uri"]), answer))

"""Staff sign-in against the twin's Entra, through allauth as it runs in production."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.core import context
from django.test import RequestFactory

from accounts import confirmation
from accounts.models import User
from ehrconnector.settings_sign_in import entra_provider
from tests.contract.page import choose

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.django_db]

TENANT = "11111111-2222-4333-8444-555555555555"
CLIENT_ID = "22222222-3333-4444-8555-777777777777"
CALLBACK = "http://testserver/accounts/oidc/entra/login/callback/"
AVERY, OKAFOR = "aaaaaaaa-0001-4000-8000-000000000001", "aaaaaaaa-0001-4000-8000-000000000005"


@pytest.fixture
def entra(sandbox, settings):
    """Register our application in the twin's Entra, and point sign-in at it."""
    base = f"{sandbox.url}/entra"
    app = {"client_id": CLIENT_ID, "client_secret": "only-for-tests", "redirect_uris": [CALLBACK]}
    setup = {"entra": {"tenant_id": TENANT, "apps": [app]}}
    assert requests.put(f"{sandbox.url}/control/setup", json=setup, timeout=10).ok
    settings.ENTRA_BASE_URL = base
    settings.ENTRA_TENANT_ID = TENANT
    settings.SOCIALACCOUNT_PROVIDERS = entra_provider(
        base_url=base, tenant_id=TENANT, client_id=CLIENT_ID, client_secret="only-for-tests"
    )
    return base


@pytest.fixture
def sign_in(entra, client):
    """Sign in as a person of the twin's account picker."""

    def browse(person):
        begun = client.post("/accounts/oidc/entra/login/")
        assert begun.status_code == 302
        assert begun["Location"].startswith(f"{entra}/{TENANT}/oauth2/v2.0/authorize?")
        returned = pick(begun["Location"], person)
        assert returned.startswith(CALLBACK)
        query = {name: values[0] for name, values in parse_qs(urlsplit(returned).query).items()}
        return client.get(urlsplit(CALLBACK).path, query)

    return browse


def pick(address, person):
    """Choose ``person`` on the twin's sign-in page, and return where it sends the browser."""
    with requests.Session() as browser:
        page = browser.get(address, timeout=10)
        assert page.ok, page.text
        chosen = choose(browser, page, person)
        assert chosen.status_code in {302, 303}, chosen.text
        return chosen.headers["Location"]


def test_discovery_names_the_tenant_as_issuer(entra):
    document = requests.get(f"{entra}/{TENANT}/v2.0/.well-known/openid-configuration", timeout=10).json()
    assert document["issuer"] == f"{entra}/{TENANT}/v2.0"
    assert document["token_endpoint"] == f"{entra}/{TENANT}/oauth2/v2.0/token"


def test_an_administrator_signs_in_with_the_app_role(sign_in, client):
    assert sign_in(AVERY).status_code == 302
    user = User.objects.get()
    assert (str(user.entra_tenant_id), str(user.entra_object_id)) == (TENANT, AVERY)
    assert (user.username, user.roles) == ("avery.reed@lamna.example.org", ["admin"])
    assert client.session["_auth_user_id"] == str(user.pk)


def test_somebody_without_an_app_role_is_refused(sign_in, client):
    response = sign_in(OKAFOR)
    assert response.status_code == 403
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session


# --- Asked again before an approval ---------------------------------------------------------------
@pytest.fixture
def confirm(sign_in, client, entra):
    """Sign in as Avery in a browser with a session at the twin's Entra, then ask Entra again."""

    def ask():
        request = RequestFactory().get("/")
        request.session, request.user = client.session, User.objects.get()
        with context.request_context(request):
            address = confirmation.address(request, request.user, next_url="/there")
        request.session.save()
        with requests.Session() as browser:
            browser.cookies.set("sandbox_entra", AVERY)
            return browser.get(address, allow_redirects=False, timeout=10)

    sign_in(AVERY)
    return ask


def come_back(client, answer):
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    return client.get(urlsplit(CALLBACK).path, query)


@pytest.fixture
def fault(sandbox):
    def put(value):
        faults = {"entra.account": value} if value else {}
        requests.put(f"{sandbox.url}/control/faults", json=faults, timeout=10).raise_for_status()

    yield put
    put("")


def test_entra_confirms_without_a_click_and_nobody_is_signed_out(confirm, client):
    session_key = client.session.session_key
    answer = come_back(client, confirm())
    assert (answer.status_code, answer["Location"]) == (302, "/there")
    assert client.session.session_key == session_key
    assert confirmation.confirmed_at(client.session) is not None


def test_a_removed_account_does_not_come_back(confirm, client, fault):
    fault("removed")
    answer = confirm()
    assert (answer.status_code, "AADSTS50034" in answer.text) == (400, True)
    assert confirmation.confirmed_at(client.session) is None


def test_a_renamed_account_comes_back_under_its_new_name(confirm, client, fault):
    fault("renamed")
    come_back(client, confirm())
    assert User.objects.get().username == "new.avery.reed@lamna.example.org"


def test_an_account_without_its_role_is_refused_and_loses_access(confirm, client, fault):
    fault("no_role")
    assert come_back(client, confirm()).status_code == 403
    assert User.objects.get().roles == []
    assert confirmation.confirmed_at(client.session) is None

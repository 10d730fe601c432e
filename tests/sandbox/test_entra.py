import base64
import hashlib
import time
import uuid
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.epic.keys import private_key
from tests.sandbox.twin import TENANT

pytestmark = pytest.mark.xdist_group("sandbox")

APP = "33333333-2222-4333-8444-666666666666"
SECRET = "p@ss & word"
BACK = "http://localhost:8000/accounts/oidc/entra/login/callback/?from=entra"
AVERY, OKAFOR = (f"aaaaaaaa-0001-4000-8000-00000000000{number}" for number in (1, 5))
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    """The certificate that was uploaded to the app registration."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector.example.org")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    key = private_key("rs-entra")
    return builder.public_key(key.public_key()).sign(key, hashes.SHA256())


@pytest.fixture
def entra(twin, certificate) -> str:
    """The tenant's address, with our app registered."""
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    app = {"client_id": APP, "client_secret": SECRET, "redirect_uris": [BACK], "certificates": [pem]}
    setup = {"entra": {"tenant_id": TENANT, "apps": [app]}}
    requests.put(f"{twin.url}/control/setup", json=setup, timeout=10).raise_for_status()
    return f"{twin.url}/entra/{TENANT}"


def request(**changes: str) -> dict[str, str]:
    fields = {
        "client_id": APP, "redirect_uri": BACK, "response_type": "code", "scope": "openid profile", "state": "a state",
        "nonce": "a nonce", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def authorize(entra: str, *, method: str = "GET", **changes: str) -> requests.Response:
    fields = {"params" if method == "GET" else "data": request(**changes)}
    return requests.request(method, f"{entra}/oauth2/v2.0/authorize", allow_redirects=False, timeout=10, **fields)


def returned(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{BACK}&")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def redeem(entra: str, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code", "client_id": APP, "client_secret": SECRET, "code": code,
        "redirect_uri": BACK, "code_verifier": VERIFIER, **changes,
    }  # fmt: skip
    return requests.post(f"{entra}/oauth2/v2.0/token", data=form, timeout=10)


def app_token(entra: str, **changes: str) -> requests.Response:
    form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default", "client_id": APP}
    return requests.post(f"{entra}/oauth2/v2.0/token", data={**form, **changes}, timeout=10)


def verified(entra: str, token: str, audience: str) -> dict:
    keys = jwt.PyJWKSet.from_dict(requests.get(f"{entra}/discovery/v2.0/keys", timeout=10).json())
    return jwt.decode(token, keys.keys[0].key, ["RS256"], audience=audience)


def test_a_person_signs_in_with_role_tenant_and_nonce(entra):
    answer = returned(authorize(entra, method="POST", account=AVERY))
    assert answer["state"] == "a state"
    claims = verified(entra, redeem(entra, answer["code"]).json()["id_token"], APP)
    assert (claims["oid"], claims["tid"], claims["nonce"]) == (AVERY, TENANT, "a nonce")
    assert (claims["iss"], claims["roles"]) == (f"{entra}/v2.0", ["Connector.Admin"])
    assert claims["preferred_username"] == "avery.reed@lamna.example.org"
    assert claims["sub"] != AVERY


def test_what_was_not_asked_for_and_what_is_empty_stays_out(entra):
    code = returned(authorize(entra, method="POST", account=OKAFOR, scope="openid", nonce=""))["code"]
    claims = verified(entra, redeem(entra, code).json()["id_token"], APP)
    assert not {"preferred_username", "roles", "nonce", "email"} & set(claims)


def test_a_code_works_once(entra):
    code = returned(authorize(entra, method="POST", account=AVERY))["code"]
    assert redeem(entra, code).ok
    again = redeem(entra, code).json()
    assert (again["error"], again["error_codes"]) == ("invalid_grant", [54005])
    assert uuid.UUID(again["correlation_id"])


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "w" * 50}, {"code_verifier": ""}, {"redirect_uri": "http://localhost:8000/"}]
)
def test_a_code_is_redeemed_only_by_who_asked_for_it(entra, changes):
    code = returned(authorize(entra, method="POST", account=AVERY))["code"]
    assert redeem(entra, code, **changes).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"redirect_uri": "https://attacker.example.org/"}])
def test_nobody_is_sent_to_an_address_that_is_not_registered(entra, changes):
    answer = authorize(entra, method="POST", account=AVERY, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_request"),
    ],
)
def test_a_request_that_is_not_right_goes_back_with_an_error(entra, changes, error):
    answer = returned(authorize(entra, **changes))
    assert answer["error"] == error
    assert answer["error_description"].startswith("AADSTS")


def test_a_silent_sign_in_takes_the_hinted_account_or_says_that_nobody_is_there(entra):
    assert returned(authorize(entra, prompt="none"))["error"] == "login_required"
    assert "code" in returned(authorize(entra, prompt="none", login_hint="Kim.Soto@lamna.example.org"))


def test_the_picker_shows_everybody(entra):
    page = authorize(entra).text
    assert "dana.ortiz@lamna.example.org" in page
    assert "Connector.Analyst" in page


def test_an_app_gets_a_token_with_the_roles_an_admin_consented_to(entra, twin):
    token = app_token(entra, client_secret=SECRET).json()["access_token"]
    claims = verified(entra, token, "https://graph.microsoft.com")
    assert claims["iss"] == f"{twin.url}/entra-sts/{TENANT}/"
    assert claims["appid"] == APP
    assert "OnlineMeetings.ReadWrite.All" in claims["roles"]


def test_an_app_may_prove_itself_with_http_basic(entra):
    form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
    halves = (APP, "p%40ss+%26+word")
    assert requests.post(f"{entra}/oauth2/v2.0/token", data=form, auth=halves, timeout=10).ok


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({}, 401, 7000218),
        ({"client_id": "nobody", "client_secret": SECRET}, 400, 700016),
        ({"client_secret": SECRET, "scope": "https://graph.microsoft.com/User.Read"}, 400, 1002012),
        ({"client_secret": SECRET, "grant_type": "password"}, 400, 70003),
    ],
)
def test_a_refusal_carries_the_number_that_admins_look_up(entra, changes, status, code):
    answer = app_token(entra, **changes)
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [code])


def assertion(entra: str, certificate: x509.Certificate, *, key: str = "rs-entra", **claims: object) -> dict[str, str]:
    thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).decode().rstrip("=")
    now = int(time.time())
    body = {"iss": APP, "sub": APP, "aud": f"{entra}/oauth2/v2.0/token", "jti": "1", "nbf": now, "exp": now + 300}
    signed = jwt.encode({**body, **claims}, private_key(key), "PS256", headers={"x5t#S256": thumbprint})
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def test_an_app_may_prove_itself_with_its_certificate(entra, certificate):
    assert app_token(entra, **assertion(entra, certificate)).ok


@pytest.mark.parametrize("changes", [{"key": "rs-stranger"}, {"aud": "https://example.org/"}, {"sub": "another"}])
def test_a_certificate_of_somebody_else_proves_nothing(entra, certificate, changes):
    answer = app_token(entra, **assertion(entra, certificate, **changes))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [700027])


def test_each_generation_of_tokens_has_its_own_issuer(entra, twin):
    first = requests.get(f"{twin.url}/entra/common/.well-known/openid-configuration", timeout=10).json()
    second = requests.get(f"{twin.url}/entra/common/v2.0/.well-known/openid-configuration", timeout=10).json()
    assert first["issuer"] == f"{twin.url}/entra-sts/{{tenantid}}/"
    assert second["issuer"] == f"{twin.url}/entra/{{tenantid}}/v2.0"
    assert requests.get(first["jwks_uri"], timeout=10).json()["keys"]


def test_a_tenant_that_is_none_is_refused(twin):
    answer = requests.get(f"{twin.url}/entra/contoso/v2.0/.well-known/openid-configuration", timeout=10)
    assert (answer.status_code, answer.json()["error_codes"]) == (400, [90002])


@pytest.mark.parametrize(("fault", "status"), [("invalid_client", 401), ("error", 503)])
def test_entra_can_refuse_or_fail(entra, twin, fault, status):
    twin.put_faults({"entra.token": fault})
    assert app_token(entra, client_secret=SECRET).status_code == status

import time

import jwt
import pytest
import requests

from tests.epic.keys import public_jwk
from tests.sandbox.epic_client import unverified

pytestmark = pytest.mark.xdist_group("sandbox")

BACKEND = {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    ("audience", "kind"), [("provider", "Practitioner"), ("patient", "Patient"), ("proxy", "RelatedPerson")]
)
def test_a_token_says_who_opened_which_visit(epic, audience, kind):
    visit, code = epic.code(audience)
    token = epic.redeem(code, app="provider" if audience == "provider" else "patient")
    body = token.json()
    assert (body["sessionId"], body["conferenceId"]) == (visit["csn"], visit["conference_id"])
    assert body["patient"] == "eX.rivera"
    assert (token.headers["Cache-Control"], body["expires_in"]) == ("no-store", 3600)
    keys = jwt.PyJWKSet.from_dict(requests.get(f"{epic.oauth}/jwks", timeout=10).json())
    claims = jwt.decode(body["id_token"], keys.keys[0].key, ["RS256"], audience=unverified(body["id_token"])["aud"])
    assert claims["fhirUser"].startswith(f"{epic.twin.fhir_base_url}/{kind}/")
    assert (claims["iss"], claims["nonce"]) == (epic.oauth, "a nonce")
    assert claims["exp"] - claims["iat"] == 300


def test_claims_follow_the_scopes(epic):
    _, code = epic.code(scope="launch openid")
    claims = unverified(epic.redeem(code).json()["id_token"])
    assert "fhirUser" not in claims
    assert "preferred_username" not in claims
    _, code = epic.code(scope="launch")
    assert "id_token" not in epic.redeem(code).json()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another verifier"}, "invalid_grant"),
        ({"redirect_uri": "http://localhost:8000/elsewhere"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code_verifier": ""}, "invalid_grant"),
    ],
)
def test_a_code_is_traded_only_by_who_asked_for_it(epic, changes, error):
    _, code = epic.code()
    answer = epic.redeem(code, **changes)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": None}


def test_a_code_belongs_to_its_client(epic):
    _, code = epic.code("provider")
    assert epic.redeem(code, app="patient").json()["error"] == "invalid_grant"


def test_only_the_backend_app_acts_for_itself(epic):
    assert epic.token({**BACKEND, **epic.proof("provider")}).json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://proxy.example.org/token"}, "Audience"),
        ({"aud": None}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": lambda now: now + 400, "iat": None}, "five minutes ahead"),
        ({"exp": lambda now: now + 290, "iat": lambda now: now - 60}, "five minutes behind"),
        ({"exp": lambda now: now - 60, "iat": None}, "Expired"),
        ({"nbf": lambda now: now + 60}, "Immature"),
        ({"iat": lambda now: now + 60}, "Immature"),
        ({"sub": "somebody else"}, "iss and sub"),
        ({"jti": "x" * 152}, "151"),
        ({"jti": None}, "151"),
        ({"key": "rs-stranger", "kid": "rs-contract"}, "signature"),
        ({"key": "rs-stranger"}, "signature"),
        ({"algorithm": "PS256"}, "Algorithm"),
    ],
)
def test_an_assertion_keeps_to_epics_rules(epic, changes, reason):
    now = int(time.time())
    values = {name: value(now) if callable(value) else value for name, value in changes.items()}
    answer = epic.token({**BACKEND, **epic.proof("backend", **values)})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    assert reason in epic.reason()


def test_an_assertion_of_151_characters_of_jti_is_taken_once(epic):
    proof = epic.proof("backend", jti="x" * 151)
    assert epic.token({**BACKEND, **proof}).ok
    assert epic.token({**BACKEND, **proof}).json()["error"] == "invalid_client"
    assert "used before" in epic.reason()


def test_a_key_set_is_fetched_once_and_again_for_a_new_key(epic, client_keys):
    for _ in range(3):
        epic.backend_token()
    fetched = len(client_keys.calls("/jwks"))
    assert fetched <= 1  # none, if an earlier test's keys were at the same port
    client_keys.replace("/jwks", {"keys": [public_jwk("rs-rotated", "RS384")]})
    assert epic.token({**BACKEND, **epic.proof("backend", key="rs-rotated")}).ok
    assert len(client_keys.calls("/jwks")) == fetched + 1


def test_a_key_that_was_replaced_under_the_same_name_is_fetched_once_more(epic, client_keys):
    epic.backend_token()
    client_keys.replace("/jwks", {"keys": [{**public_jwk("rs-rotated", "RS384"), "kid": "rs-contract"}]})
    assert epic.token({**BACKEND, **epic.proof("backend", key="rs-rotated", kid="rs-contract")}).ok


@pytest.mark.parametrize(("body", "status"), [({"keys": "none"}, 200), ([], 200), ({}, 500)])
def test_a_key_set_that_cannot_be_read_proves_nobody(epic, client_keys, body, status):
    client_keys.replace("/jwks", body, status=status)
    assert epic.token({**BACKEND, **epic.proof("backend")}).json()["error"] == "invalid_client"
    assert "key set" in epic.reason()


@pytest.mark.parametrize(
    ("fault", "claim", "is_wrong"),
    [
        ("old_issuer", "iss", lambda value: value.endswith("/oauth2/token")),
        ("no_fhir_user", "fhirUser", lambda value: value is None),
        ("wrong_nonce", "nonce", lambda value: value != "a nonce"),
        ("expired", "exp", lambda value: value < time.time()),
    ],
)
def test_an_id_token_can_be_older_or_wrong(epic, twin, fault, claim, is_wrong):
    _, code = epic.code()
    twin.put_faults({"epic.id_token": fault})
    assert is_wrong(unverified(epic.redeem(code).json()["id_token"]).get(claim))


@pytest.mark.parametrize(("fault", "status"), [("invalid_client", 400), ("error", 500)])
def test_the_token_endpoint_can_refuse_or_fail(epic, twin, fault, status):
    twin.put_faults({"epic.token": fault})
    assert epic.token({**BACKEND, **epic.proof("backend")}).status_code == status


def test_the_record_can_lack_the_conference_or_hold_an_unknown_token(epic, twin):
    _, code = epic.code()
    twin.put_faults({"epic.record": "no_conference"})
    assert "conferenceId" not in epic.redeem(code).json()
    _, code = epic.code()
    twin.put_faults({"epic.record": "unknown_token"})
    assert epic.redeem(code).json()["sessionId"] == "%CSN%"

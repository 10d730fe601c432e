import base64
import json
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from core.errors import LaunchRefused, UpstreamUnavailable
from epic.id_token import IdentityKind, KeySets, verify_id_token
from tests.epic.keys import private_key, public_jwk

JWKS = "/interconnect/oauth2/jwks"
SECRET = "s" * 64


@pytest.fixture
def claims(connection, now):
    return {
        "iss": connection.smart.issuer,
        "sub": "eP.okafor",
        "aud": "provider-app",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 300,
        "nonce": "nonce-1",
        "fhirUser": f"{connection.fhir_base_url}/Practitioner/eP.okafor",
        "preferred_username": "AOKAFOR",
    }


@pytest.fixture
def verify(peer, session, connection, now):
    """Verify a token, or sign and verify claims, against the key set that ``peer`` serves."""
    peer.answers(JWKS, {"keys": [public_jwk("rs-epic", "RS256")]})
    key_sets = KeySets()

    def check(token, **header):
        if isinstance(token, dict):
            headers = {"kid": "rs-epic", **header}
            token = jwt.encode(token, private_key("rs-epic"), algorithm="RS256", headers=headers)
        return verify_id_token(session, connection, token, nonce="nonce-1", now=now, key_sets=key_sets)

    return check


def refusal(verify, token, **header):
    with pytest.raises(LaunchRefused) as caught:
        verify(token, **header)
    assert "eP.okafor" not in str(caught.value)
    return caught.value.code


def test_a_provider_is_known_by_fhir_user(verify, claims, connection):
    identity = verify(claims)
    assert (identity.kind, identity.id) == (IdentityKind.PRACTITIONER, "eP.okafor")
    assert (identity.issuer, identity.subject) == (connection.smart.issuer, "eP.okafor")
    assert identity.username == "AOKAFOR"
    assert "eP.okafor" not in repr(identity)


@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson", "Practitioner"])
def test_without_fhir_user_the_subject_may_be_the_reference(verify, claims, kind):
    del claims["fhirUser"]
    assert verify({**claims, "sub": f"{kind}/eX.7"}).kind == kind


@pytest.mark.parametrize("subject", ["eP.okafor", "Person/eP.okafor", "Patient/", ""])
def test_an_unknown_role_is_refused(verify, claims, subject):
    del claims["fhirUser"]
    assert refusal(verify, {**claims, "sub": subject}) == "id_token.role"


@pytest.mark.parametrize("suffix", ["", "/", "/token"])
def test_the_old_and_the_new_form_of_the_issuer_are_accepted(verify, claims, connection, suffix):
    assert verify({**claims, "iss": connection.smart.issuer + suffix}).issuer == connection.smart.issuer


def test_a_discovered_issuer_in_the_old_form_is_the_same(peer, session, connection, claims, now):
    peer.answers(JWKS, {"keys": [public_jwk("rs-epic", "RS256")]})
    old = replace(connection, smart=replace(connection.smart, issuer=f"{connection.smart.issuer}/token"))
    token = jwt.encode(claims, private_key("rs-epic"), algorithm="RS256", headers={"kid": "rs-epic"})
    assert verify_id_token(session, old, token, nonce="nonce-1", now=now, key_sets=KeySets()).id == "eP.okafor"


# The six of the security requirements: none, HS256 with the public key, audience, time, nonce, foreign key set.


def test_an_unsigned_token_is_refused(verify, claims):
    token = jwt.encode(claims, "", algorithm="none", headers={"kid": "rs-epic"})
    assert refusal(verify, token) == "id_token.algorithm"


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(verify, claims):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    # PyJWT refuses to make one, so it is put together by hand.
    body = f"{part({'alg': 'HS256', 'kid': 'rs-epic'})}.{part(claims)}"
    public = private_key("rs-epic").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(body.encode(), pem)
    token = f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    assert refusal(verify, token) == "id_token.algorithm"


@pytest.mark.parametrize("audience", ["patient-app", ["patient-app"]])
def test_a_token_for_another_app_is_refused(verify, claims, audience):
    assert refusal(verify, {**claims, "aud": audience}) == "id_token.audience"


def test_a_token_of_several_audiences_must_have_been_issued_to_us(verify, claims):
    shared = {**claims, "aud": ["provider-app", "patient-app"]}
    assert refusal(verify, shared) == "id_token.audience"
    assert refusal(verify, {**shared, "azp": "patient-app"}) == "id_token.audience"
    assert verify({**shared, "azp": "provider-app"}).id == "eP.okafor"


@pytest.mark.parametrize(("seconds", "is_expired"), [(-60, False), (-61, True)])
def test_a_token_may_have_expired_a_minute_ago_and_no_longer(verify, claims, now, seconds, is_expired):
    aged = {**claims, "exp": int(now.timestamp()) + seconds}
    if is_expired:
        assert refusal(verify, aged) == "id_token.expired"
    else:
        assert verify(aged).id == "eP.okafor"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_is_refused(verify, claims, now, claim):
    assert refusal(verify, {**claims, claim: int(now.timestamp()) + 61}) == "id_token.expired"


@pytest.mark.parametrize("nonce", ["nonce-2", "", None])
def test_the_nonce_of_another_launch_is_refused(verify, claims, nonce):
    assert refusal(verify, {**claims, "nonce": nonce}) == "id_token.nonce"


def test_a_key_set_named_by_the_token_itself_is_never_fetched(peer, verify, claims):
    peer.answers("/attacker", {"keys": [public_jwk("rs-attacker", "RS256")]})
    pointers = {
        "kid": "rs-attacker",
        "jku": f"{peer.url}/attacker",
        "x5u": f"{peer.url}/attacker",
        "jwk": public_jwk("rs-attacker", "RS256"),
    }
    token = jwt.encode(claims, private_key("rs-attacker"), algorithm="RS256", headers=pointers)
    assert refusal(verify, token) == "id_token.unknown_key"
    assert peer.calls("/attacker") == []
    named_like_ours = jwt.encode(
        claims, private_key("rs-attacker"), algorithm="RS256", headers={**pointers, "kid": "rs-epic"}
    )
    assert refusal(verify, named_like_ours) == "id_token.signature"
    assert peer.calls("/attacker") == []


@pytest.mark.parametrize(
    "issuer", ["https://evil.test/oauth2", "", "{base}/oauth2", "{own}.evil.test", "{own}/token/token"]
)
def test_another_issuer_is_refused(verify, claims, connection, issuer):
    issuer = issuer.format(base=connection.fhir_base_url, own=connection.smart.issuer)
    assert refusal(verify, {**claims, "iss": issuer}) == "id_token.issuer"


@pytest.mark.parametrize("claim", ["exp", "iss", "sub", "aud"])
def test_a_missing_claim_is_refused(verify, claims, claim):
    del claims[claim]
    assert refusal(verify, claims) == "id_token.malformed"


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "ä.ö.ü", "." * 3])
def test_what_is_no_token_is_refused(verify, token):
    assert refusal(verify, token) == "id_token.malformed"


def test_keys_are_fetched_once_and_again_for_a_new_key_id(peer, verify, claims):
    verify(claims)
    verify(claims)
    assert len(peer.calls(JWKS)) == 1
    both = {"keys": [public_jwk("rs-epic", "RS256"), public_jwk("rs-new", "RS256")]}
    peer.replace(JWKS, both)
    token = jwt.encode(claims, private_key("rs-new"), algorithm="RS256", headers={"kid": "rs-new"})
    verify(token)
    verify(token)
    assert len(peer.calls(JWKS)) == 2
    assert refusal(verify, claims, kid="unheard-of") == "id_token.unknown_key"
    assert len(peer.calls(JWKS)) == 3


def test_keys_are_fetched_again_after_their_time(peer, session, connection, claims, now):
    peer.answers(JWKS, {"keys": [public_jwk("rs-epic", "RS256")]})
    token = jwt.encode(claims, private_key("rs-epic"), algorithm="RS256", headers={"kid": "rs-epic"})
    forgetful = KeySets(kept_seconds=0)
    for _ in range(2):
        verify_id_token(session, connection, token, nonce="nonce-1", now=now, key_sets=forgetful)
    assert len(peer.calls(JWKS)) == 2


def test_keys_for_other_purposes_are_not_used(peer, session, connection, claims, now):
    usable = public_jwk("rs-epic", "RS256")
    odd = [{**usable, "use": "enc"}, {**usable, "alg": "RS512"}, {"kty": "RSA", "kid": "rs-epic"}, "odd", None]
    peer.answers(JWKS, {"keys": odd})
    token = jwt.encode(claims, private_key("rs-epic"), algorithm="RS256", headers={"kid": "rs-epic"})
    with pytest.raises(LaunchRefused) as caught:
        verify_id_token(session, connection, token, nonce="nonce-1", now=now, key_sets=KeySets())
    assert caught.value.code == "id_token.unknown_key"


def test_a_key_set_that_cannot_be_fetched_is_no_verdict_about_the_token(peer, session, connection, claims, now):
    peer.answers(JWKS, status=503)
    token = jwt.encode(claims, private_key("rs-epic"), algorithm="RS256", headers={"kid": "rs-epic"})
    with pytest.raises(UpstreamUnavailable):
        verify_id_token(session, connection, token, nonce="nonce-1", now=now, key_sets=KeySets())

from dataclasses import replace

import jwt
import pytest

from core.errors import ConfigurationError
from epic.assertion import assertion_fields, client_assertion
from tests.epic.keys import client_key, private_key

TOKEN_URL = "https://fhir.lamna.example.org/interconnect/oauth2/token"


def read(assertion, name, algorithm, now):
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    public = private_key(name).public_key()
    return jwt.decode(assertion, key=public, algorithms=[algorithm], audience=TOKEN_URL, options=options)


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [("rs-client", "RS384"), ("es-client", "ES384"), ("rs-client", "PS256"), ("rs-client", "RS256")],
)
def test_an_assertion_holds_what_rfc_7523_and_epic_ask(name, algorithm, now):
    assertion = client_assertion(client_key(name, algorithm), client_id="backend-app", audience=TOKEN_URL, now=now)

    assert jwt.get_unverified_header(assertion) == {"alg": algorithm, "typ": "JWT", "kid": name}
    claims = read(assertion, name, algorithm, now)
    assert claims["iss"] == claims["sub"] == "backend-app"
    assert claims["aud"] == TOKEN_URL
    assert claims["exp"] - now.timestamp() == 240
    assert claims["exp"] - claims["iat"] <= 300
    assert claims["iat"] < now.timestamp()
    assert isinstance(claims["jti"], str)
    assert len(claims["jti"]) <= 151


def test_no_two_assertions_share_a_jti(now):
    key = client_key("rs-client", "RS384")
    made = [client_assertion(key, client_id="a", audience=TOKEN_URL, now=now) for _ in range(20)]
    assert len({read(assertion, "rs-client", "RS384", now)["jti"] for assertion in made}) == 20


def test_more_header_fields_cannot_replace_key_id_and_type(now):
    key = client_key("rs-client", "PS256")
    headers = {"x5t#S256": "thumb", "kid": "other", "typ": "other"}
    assertion = client_assertion(key, client_id="a", audience=TOKEN_URL, now=now, headers=headers)
    assert jwt.get_unverified_header(assertion) == {
        "alg": "PS256",
        "typ": "JWT",
        "kid": "rs-client",
        "x5t#S256": "thumb",
    }


def test_the_form_fields_name_the_assertion_type(now):
    fields = assertion_fields(client_key("rs-client", "RS384"), client_id="a", audience=TOKEN_URL, now=now)
    assert fields["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert set(fields) == {"client_assertion_type", "client_assertion"}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1"])
def test_an_unsafe_algorithm_is_refused(algorithm, now):
    key = replace(client_key("rs-client", "RS384"), algorithm=algorithm)
    with pytest.raises(ConfigurationError) as caught:
        client_assertion(key, client_id="a", audience=TOKEN_URL, now=now)
    assert caught.value.code == "keys.unusable"


@pytest.mark.parametrize("pem", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_a_broken_key_is_a_configuration_error_that_does_not_show_it(pem, now):
    key = replace(client_key("rs-client", "RS384"), private_key=pem)
    with pytest.raises(ConfigurationError) as caught:
        client_assertion(key, client_id="a", audience=TOKEN_URL, now=now)
    assert caught.value.code == "keys.unusable"
    assert not pem or pem not in str(caught.value)

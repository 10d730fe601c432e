import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from core.errors import ConfigurationError, OutcomeUnknown, UpstreamRejected, UpstreamUnavailable
from epic.oauth import ContextFields, ehr_launch_request, exchange_code, standalone_request
from tests.epic.keys import private_key

REDIRECT = "https://visits.lamna.example.org/launch/callback"
TOKEN = "/interconnect/oauth2/token"


@pytest.fixture
def exchange(session, connection, now):
    def trade(code="code", connection=connection):
        return exchange_code(session, connection, code=code, redirect_uri=REDIRECT, code_verifier="verifier", now=now)

    return trade


def test_an_ehr_launch_asks_for_everything_epic_requires(connection):
    request = ehr_launch_request(connection, launch="one-time", redirect_uri=REDIRECT)

    assert request.url == connection.smart.authorization_endpoint
    assert request.fields["response_type"] == "code"
    assert request.fields["client_id"] == "provider-app"
    assert request.fields["redirect_uri"] == REDIRECT
    assert request.fields["scope"] == "launch openid fhirUser profile"
    assert request.fields["launch"] == "one-time"
    assert request.fields["aud"] == connection.fhir_base_url
    assert request.fields["state"] == request.state
    assert request.fields["nonce"] == request.nonce


def test_the_challenge_is_the_s256_of_the_verifier(connection):
    request = ehr_launch_request(connection, launch="x", redirect_uri=REDIRECT)
    digest = base64.urlsafe_b64encode(hashlib.sha256(request.code_verifier.encode()).digest()).decode().rstrip("=")
    assert request.fields["code_challenge"] == digest
    assert request.fields["code_challenge_method"] == "S256"
    assert request.code_verifier not in request.fields.values()


def test_every_launch_has_256_random_bits_of_its_own(connection):
    requests = [ehr_launch_request(connection, launch="x", redirect_uri=REDIRECT) for _ in range(10)]
    secrets = [secret for request in requests for secret in (request.state, request.nonce, request.code_verifier)]
    assert len(set(secrets)) == 30
    assert min(len(secret) for secret in secrets) >= 43


def test_a_standalone_sign_in_has_no_launch_and_works_as_a_link(connection):
    request = standalone_request(connection, redirect_uri=REDIRECT)
    query = parse_qs(urlsplit(request.address).query)
    assert query["scope"] == ["openid fhirUser profile"]
    assert query["aud"] == [connection.fhir_base_url]
    assert "launch" not in query


def test_secrets_of_a_launch_are_not_in_its_representation(connection):
    request = ehr_launch_request(connection, launch="one-time", redirect_uri=REDIRECT)
    shown = repr(request)
    assert not [
        secret for secret in (request.state, request.nonce, request.code_verifier, "one-time") if secret in shown
    ]


def test_a_code_is_traded_with_a_signed_assertion(peer, exchange, connection):
    peer.answers(TOKEN, {"access_token": "at", "token_type": "Bearer", "expires_in": 3600})
    exchange()

    form = peer.calls(TOKEN)[0].form
    assert form["grant_type"] == "authorization_code"
    assert form["redirect_uri"] == REDIRECT
    assert form["code_verifier"] == "verifier"
    claims = jwt.decode(
        form["client_assertion"],
        key=private_key("rs-client").public_key(),
        algorithms=["RS384"],
        audience=connection.smart.token_endpoint,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims["sub"] == "provider-app"


def test_codes_and_tokens_of_many_kilobytes_pass_whole(peer, exchange, connection):
    code, access_token = "c" * 20_000, "a" * 20_000
    peer.answers(TOKEN, {"access_token": access_token, "token_type": "bearer"})
    assert exchange(code).access_token == access_token
    assert peer.calls(TOKEN)[0].form["code"] == code


def test_the_answer_is_split_into_tokens_patient_and_context(peer, exchange, connection):
    peer.answers(
        TOKEN,
        {
            "access_token": "at",
            "token_type": "bearer",
            "expires_in": "3240",
            "scope": "launch openid",
            "id_token": "it",
            "patient": "eX.rivera",
            "SessionID": 482200417,
            "conferenceid": "1853",
            "__epic.dstu2.patient": "old",
            "need_patient_banner": True,
            "fhirContext": [{"reference": "x"}],
        },
    )
    token = exchange()
    assert (token.access_token, token.id_token, token.expires_in) == ("at", "it", 3240)
    assert token.patient == "eX.rivera"
    assert token.context["sessionId"] == "482200417"
    assert token.context.get("conferenceId") == "1853"
    assert set(token.context) == {"sessionid", "conferenceid", "__epic.dstu2.patient"}
    assert not [secret for secret in ("'at'", "'it'", "482200417", "eX.rivera") if secret in repr(token)]


def test_context_names_are_compared_without_case():
    fields = ContextFields({"sessionID": "1"})
    assert fields["SESSIONid"] == "1"
    assert "SessionId" in fields
    assert fields.get("other") is None


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (401, "invalid_client", (ConfigurationError, "epic.invalid_client")),
        (400, "invalid_client", (ConfigurationError, "epic.invalid_client")),
        (400, "invalid_grant", (UpstreamRejected, "epic.invalid_grant")),
        (400, "invalid_request", (UpstreamRejected, "epic.token_refused")),
        (403, "", (UpstreamRejected, "epic.rejected")),
        (500, "", (UpstreamUnavailable, "epic.failing")),
        (429, "", (UpstreamUnavailable, "epic.throttled")),
    ],
)
def test_each_refusal_has_a_stable_code(peer, exchange, status, error, expected):
    peer.answers(TOKEN, {"error": error, "error_description": "secret detail"}, status=status)
    kind, code = expected
    with pytest.raises(kind) as caught:
        exchange()
    assert caught.value.code == code
    assert "secret detail" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a", "token_type": "mac"}]
)
def test_an_answer_without_a_bearer_token_is_refused(peer, exchange, body):
    peer.answers(TOKEN, body)
    with pytest.raises(UpstreamRejected) as caught:
        exchange()
    assert caught.value.code == "epic.not_a_token"


@pytest.mark.parametrize("body", [b"not json", b'["a list"]', b'"invalid_grant"'])
def test_a_refusal_that_is_no_object_is_still_a_refusal(peer, exchange, body):
    peer.answers(TOKEN, body, status=400)
    with pytest.raises(UpstreamRejected) as caught:
        exchange()
    assert caught.value.code == "epic.rejected"


def test_a_broken_connection_leaves_the_outcome_open(exchange, connection, mute_port):
    with pytest.raises(OutcomeUnknown) as caught:
        exchange(connection=mute_port(connection))
    assert caught.value.code == "epic.no_answer"

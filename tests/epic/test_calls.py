import base64
import threading

import pytest

from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from epic.authorization import BackendAuthorization, BasicAuthorization
from epic.backend import BackendTokens
from epic.calls import call

TOKEN, PATH = "/interconnect/oauth2/token", "/interconnect/service"


@pytest.fixture
def basic():
    return BasicAuthorization(client_id="backend-app", username="LAMNAVIDEO", password="pass:word")


@pytest.fixture
def ask(peer, session, now):
    """Call the service."""

    def make(authorization):
        return call(session, "POST", f"{peer.url}{PATH}", authorization=authorization, now=now)

    return make


def outcome(*codes):
    issues = [{"severity": "fatal", "code": "processing", "details": {"coding": [{"code": code}]}} for code in codes]
    return {"resourceType": "OperationOutcome", "issue": issues}


@pytest.mark.parametrize("username", ["LAMNAVIDEO", "emp$LAMNAVIDEO"])
def test_a_background_user_shows_name_password_and_client(peer, ask, username):
    peer.answers(PATH)
    ask(BasicAuthorization(client_id="backend-app", username=username, password="pass:word"))
    headers = peer.calls(PATH)[0].headers
    scheme, _, value = headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value)) == ("Basic", b"emp$LAMNAVIDEO:pass:word")
    assert headers["Epic-Client-Id"] == "backend-app"


def test_credentials_are_not_in_a_representation(basic):
    assert "LAMNAVIDEO" not in repr(basic)
    assert "pass:word" not in repr(basic)


def test_refused_credentials_are_not_tried_again(peer, ask, basic):
    peer.answers(PATH, status=401)
    with pytest.raises(UpstreamRejected) as caught:
        ask(basic)
    assert caught.value.code == "epic.not_authorized"
    assert len(peer.calls(PATH)) == 1


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (outcome("4130"), "epic.break_the_glass", "4130"),
        (outcome("59", "4131"), "epic.break_the_glass", "4131"),
        (outcome("59187"), "epic.observation_not_mapped", "59187"),
        (outcome("59188"), "epic.observation_not_mapped", "59188"),
        (outcome("59189"), "epic.observation_not_mapped", "59189"),
        (outcome("4101"), "epic.rejected", "4101"),
        ({"Message": "NO-CONFERENCE-FOUND"}, "epic.conference_unknown", "NO-CONFERENCE-FOUND"),
        ({"Message": "Patient Elena Rivera is unknown"}, "epic.rejected", "HTTP 400"),
        ({"issue": "none"}, "epic.rejected", "HTTP 400"),
        ({"issue": [None, {"details": "x"}, {"details": {"coding": ["y"]}}]}, "epic.rejected", "HTTP 400"),
        ([1], "epic.rejected", "HTTP 400"),
        (b"<html>", "epic.rejected", "HTTP 400"),
    ],
)
def test_a_refusal_is_named_by_epics_code_and_never_by_its_text(peer, ask, basic, body, code, detail):
    peer.answers(PATH, body, status=400)
    with pytest.raises(UpstreamRejected) as caught:
        ask(basic)
    assert (caught.value.code, caught.value.detail, caught.value.status) == (code, detail, 400)


@pytest.mark.parametrize(("status", "code"), [(401, "epic.not_authorized"), (403, "epic.not_authorized")])
def test_a_refusal_without_a_code_is_named_by_its_status(peer, ask, basic, status, code):
    peer.answers(PATH, status=status)
    with pytest.raises(UpstreamRejected) as caught:
        ask(basic)
    assert caught.value.code == code


@pytest.mark.parametrize(("status", "code"), [(429, "epic.throttled"), (500, "epic.failing"), (503, "epic.failing")])
def test_a_busy_epic_is_no_refusal(peer, ask, basic, status, code):
    peer.answers(PATH, outcome("4130"), status=status)
    with pytest.raises(UpstreamUnavailable) as caught:
        ask(basic)
    assert caught.value.code == code


def test_a_client_that_epic_does_not_know_is_a_configuration_error(peer, ask, connection):
    peer.answers(TOKEN, {"error": "invalid_client"}, status=400)
    with pytest.raises(ConfigurationError):
        ask(BackendAuthorization(connection=connection, tokens=BackendTokens()))
    assert peer.calls(PATH) == []


def test_many_who_need_a_token_at_once_fetch_one(peer, session, connection, now):
    peer.answers(TOKEN, {"access_token": "at", "token_type": "bearer", "expires_in": 3600})
    tokens, barrier, got = BackendTokens(), threading.Barrier(12), []

    def fetch():
        barrier.wait(timeout=5)
        got.append(tokens.get(session, connection, now=now))

    threads = [threading.Thread(target=fetch) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert got == ["at"] * 12
    assert len(peer.calls(TOKEN)) == 1

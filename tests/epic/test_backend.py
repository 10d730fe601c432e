from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import ConfigurationError
from epic.backend import BackendTokens

TOKEN = "/interconnect/oauth2/token"


@pytest.fixture
def tokens():
    return BackendTokens()


def test_a_token_is_asked_for_with_client_credentials(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"access_token": "at-1", "token_type": "bearer", "expires_in": 3600})
    assert tokens.get(session, connection, now=now) == "at-1"
    form = peer.calls(TOKEN)[0].form
    assert form["grant_type"] == "client_credentials"
    assert form["client_assertion"].count(".") == 2


def test_a_token_is_used_until_a_minute_before_its_end(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"access_token": "at-1", "token_type": "bearer", "expires_in": 3600})
    peer.answers(TOKEN, {"access_token": "at-2", "token_type": "bearer", "expires_in": 3600})
    tokens.get(session, connection, now=now)
    assert tokens.get(session, connection, now=now + timedelta(seconds=3539)) == "at-1"
    assert tokens.get(session, connection, now=now + timedelta(seconds=3540)) == "at-2"


def test_a_token_without_a_life_is_not_kept(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"access_token": "at-1", "token_type": "bearer"})
    tokens.get(session, connection, now=now)
    tokens.get(session, connection, now=now)
    assert len(peer.calls(TOKEN)) == 2


def test_every_client_has_its_own_token(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"access_token": "at-1", "token_type": "bearer", "expires_in": 3600})
    peer.answers(TOKEN, {"access_token": "at-2", "token_type": "bearer", "expires_in": 3600})
    assert tokens.get(session, connection, now=now) == "at-1"
    assert tokens.get(session, replace(connection, client_id="other"), now=now) == "at-2"


def test_a_refused_token_is_forgotten_but_not_its_successor(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"access_token": "at-1", "token_type": "bearer", "expires_in": 3600})
    peer.answers(TOKEN, {"access_token": "at-2", "token_type": "bearer", "expires_in": 3600})
    tokens.get(session, connection, now=now)
    tokens.forget(connection, token="at-1")
    assert tokens.get(session, connection, now=now) == "at-2"
    tokens.forget(connection, token="at-1")
    assert tokens.get(session, connection, now=now) == "at-2"
    assert len(peer.calls(TOKEN)) == 2


def test_a_client_that_epic_does_not_know_is_a_configuration_error(peer, session, connection, now, tokens):
    peer.answers(TOKEN, {"error": "invalid_client"}, status=401)
    with pytest.raises(ConfigurationError) as caught:
        tokens.get(session, connection, now=now)
    assert caught.value.code == "epic.invalid_client"

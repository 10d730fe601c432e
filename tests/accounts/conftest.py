"""An Entra tenant of the tests' own, through which a browser signs in."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.signals import staff_signed_in
from tests.entra import CALLBACK, TENANT, answer_about, play_entra
from tests.epic.peer import Peer

__all__ = ["AVERY", "TENANT"]
AVERY = uuid.UUID("aaaaaaaa-0001-4000-8000-000000000001")


@pytest.fixture
def entra(settings: Any) -> Iterator[Peer]:
    server = Peer()
    play_entra(server, settings)
    yield server
    server.close()


@pytest.fixture
def sign_in(entra: Peer, client: Client) -> Callable[..., Any]:
    """Sign in as Avery with changed claims, and return the answer to the callback."""

    def browse(query: str = "", **changes: Any) -> Any:
        begun = client.post(f"/accounts/oidc/entra/login/{query}")
        assert begun.status_code == 302, begun.content
        asked = parse_qs(urlsplit(begun["Location"]).query)
        claims = {
            "oid": str(AVERY),
            "preferred_username": "avery.reed@lamna.example.org",
            "name": "Avery Reed",
            "email": "avery.reed@lamna.example.org",
            "roles": ["Connector.Admin"],
        }
        answer_about(entra, **{**claims, **changes})
        return client.get(CALLBACK, {"code": "code", "state": asked["state"][0]})

    return browse


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    """Collect what other apps hear about sign-ins."""
    heard: list[dict[str, Any]] = []

    def listen(**news: Any) -> None:
        heard.append({name: news[name] for name in ("user", "roles", "tenant_id")})

    staff_signed_in.connect(listen)
    yield heard
    staff_signed_in.disconnect(listen)

"""An Entra tenant of the tests' own, through which a browser signs in."""

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client

from accounts.signals import staff_signed_in
from ehrconnector.settings_sign_in import entra_provider
from tests.epic.keys import private_key, public_jwk
from tests.epic.peer import Peer

TENANT = uuid.UUID("11111111-2222-4333-8444-555555555555")
AVERY = uuid.UUID("aaaaaaaa-0001-4000-8000-000000000001")
CLIENT_ID = "22222222-3333-4444-8555-666666666666"


@pytest.fixture
def entra(settings: Any) -> Iterator[Peer]:
    server = Peer()
    base = f"/{TENANT}"
    settings.ENTRA_BASE_URL = server.url
    settings.ENTRA_TENANT_ID = str(TENANT)
    settings.SOCIALACCOUNT_PROVIDERS = entra_provider(
        base_url=server.url, tenant_id=str(TENANT), client_id=CLIENT_ID, client_secret="only-for-tests"
    )
    server.answers(
        f"{base}/v2.0/.well-known/openid-configuration",
        {
            "issuer": f"{server.url}{base}/v2.0",
            "authorization_endpoint": f"{server.url}{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{server.url}{base}/oauth2/v2.0/token",
            "jwks_uri": f"{server.url}{base}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        },
    )
    server.answers(f"{base}/discovery/v2.0/keys", {"keys": [public_jwk("rs-entra", "RS256")]})
    yield server
    server.close()


@pytest.fixture
def sign_in(entra: Peer, client: Client) -> Callable[..., Any]:
    """Sign in as Avery with changed claims, and return the answer to the callback."""

    def browse(query: str = "", **changes: Any) -> Any:
        begun = client.post(f"/accounts/oidc/entra/login/{query}")
        assert begun.status_code == 302, begun.content
        asked = parse_qs(urlsplit(begun["Location"]).query)
        now = int(time.time())
        claims = {
            "iss": f"{entra.url}/{TENANT}/v2.0",
            "aud": CLIENT_ID,
            "sub": "pairwise",
            "iat": now,
            "exp": now + 300,
            "tid": str(TENANT),
            "oid": str(AVERY),
            "preferred_username": "avery.reed@lamna.example.org",
            "name": "Avery Reed",
            "email": "avery.reed@lamna.example.org",
            "roles": ["Connector.Admin"],
        }
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        id_token = jwt.encode(claims, private_key("rs-entra"), algorithm="RS256", headers={"kid": "rs-entra"})
        token = {"access_token": "at", "token_type": "Bearer", "expires_in": 3600, "id_token": id_token}
        entra.replace(f"/{TENANT}/oauth2/v2.0/token", token)
        return client.get("/accounts/oidc/entra/login/callback/", {"code": "code", "state": asked["state"][0]})

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

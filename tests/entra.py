"""Microsoft Entra, played by a server of the tests' own."""

import time
import uuid
from typing import Any

import jwt

from accounts.models import Role, User
from ehrconnector.settings_sign_in import entra_provider
from tests.epic.keys import private_key, public_jwk
from tests.epic.peer import Peer

TENANT = uuid.UUID("11111111-2222-4333-8444-555555555555")
CLIENT_ID = "22222222-3333-4444-8555-666666666666"
CALLBACK = "/accounts/oidc/entra/login/callback/"
_APP_ROLES = {
    Role.ADMIN: "Connector.Admin",
    Role.ANALYST: "Connector.Analyst",
    Role.SUPPORT: "Connector.Support",
    Role.REPORT_READER: "Connector.ReportReader",
}
_BASE = f"/{TENANT}"
_TOKEN, _KEYS = f"{_BASE}/oauth2/v2.0/token", f"{_BASE}/discovery/v2.0/keys"


def play_entra(server: Peer, settings: Any) -> None:
    """Let ``server`` be the hospital's Entra, at which staff sign in."""
    settings.ENTRA_BASE_URL = server.url
    settings.ENTRA_TENANT_ID = str(TENANT)
    settings.SOCIALACCOUNT_PROVIDERS = entra_provider(
        base_url=server.url, tenant_id=str(TENANT), client_id=CLIENT_ID, client_secret="only-for-tests"
    )
    server.answers(
        f"{_BASE}/v2.0/.well-known/openid-configuration",
        {
            "issuer": f"{server.url}{_BASE}/v2.0",
            "authorization_endpoint": f"{server.url}{_BASE}/oauth2/v2.0/authorize",
            "token_endpoint": f"{server.url}{_TOKEN}",
            "jwks_uri": f"{server.url}{_KEYS}",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        },
    )
    server.answers(_KEYS, {"keys": [public_jwk("rs-entra", "RS256")]})


def answer_about(server: Peer, **changes: Any) -> None:
    """Let Entra answer the next code with an id_token; a claim that is None is left out."""
    now = int(time.time())
    claims = {
        "iss": f"{server.url}/{TENANT}/v2.0", "aud": CLIENT_ID, "sub": "pairwise", "iat": now, "exp": now + 300,
        "tid": str(TENANT), **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    id_token = jwt.encode(claims, private_key("rs-entra"), algorithm="RS256", headers={"kid": "rs-entra"})
    server.replace(_TOKEN, {"access_token": "at", "token_type": "Bearer", "expires_in": 3600, "id_token": id_token})


def claims_of(user: User) -> dict[str, Any]:
    """Return what Entra says about ``user`` as they are known here."""
    return {
        "oid": str(user.entra_object_id),
        "preferred_username": user.username,
        "roles": [_APP_ROLES[Role(role)] for role in user.roles],
    }

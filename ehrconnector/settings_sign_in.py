"""The allauth entry for Microsoft Entra, kept apart so that settings read as a list."""

from typing import Any


def entra_provider(*, base_url: str, tenant_id: str, client_id: str, client_secret: str) -> dict[str, Any]:
    """Return ``SOCIALACCOUNT_PROVIDERS`` with one Entra tenant, or none when it is not configured.

    ``openid_connect`` and not allauth's ``microsoft`` provider: only the former keeps the id_token,
    which alone carries ``oid``, ``tid`` and the app ``roles``.
    """
    if not (tenant_id and client_id):
        return {"openid_connect": {"APPS": []}}
    app = {
        "provider_id": "entra",
        "name": "Microsoft",
        "client_id": client_id,
        "secret": client_secret,
        "settings": {
            "server_url": f"{base_url}/{tenant_id}/v2.0",
            "uid_field": "sub",
            "fetch_userinfo": False,
            "oauth_pkce_enabled": True,
        },
    }
    return {"openid_connect": {"APPS": [app], "SCOPE": ["openid", "profile"]}}

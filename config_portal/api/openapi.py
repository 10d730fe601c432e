"""How the OpenAPI document describes the API's tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    """The scheme of :class:`config_portal.api.authentication.TokenAuthentication`."""

    target_class = "config_portal.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme."""
        return {"type": "http", "scheme": "bearer", "description": "A token from Settings, ehc_…"}

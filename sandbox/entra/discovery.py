"""OpenID discovery and keys of Entra (OpenID Connect Discovery 1.0)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from sandbox import keys as twin_keys
from sandbox.entra.errors import entra_error
from sandbox.people import TENANT_ID

COMMON = "common"


def base(tenant: str) -> str:
    """Return the address below which a tenant's endpoints are."""
    return f"{settings.SANDBOX_URL}/entra/{tenant}"


def issuer(tenant: str) -> str:
    """Return the issuer of a tenant's id_tokens."""
    return f"{base(tenant)}/v2.0"


def sts_issuer(tenant: str) -> str:
    """Return the issuer of a tenant's version 1 tokens, which Graph takes and sends."""
    return f"{settings.SANDBOX_URL}/entra-sts/{tenant}/"


@require_safe
def configuration(request: HttpRequest, tenant: str) -> HttpResponse:
    """Answer where everything is, for version 2 tokens."""
    return _configuration(tenant, issuer=issuer(_name(tenant)))


@require_safe
def first_configuration(request: HttpRequest, tenant: str) -> HttpResponse:
    """Answer where everything is, for version 1 tokens."""
    return _configuration(tenant, issuer=sts_issuer(_name(tenant)))


@require_safe
def keys(request: HttpRequest, tenant: str) -> HttpResponse:
    """Answer the keys that Entra signs with."""
    return JsonResponse(twin_keys.jwks()) if tenant in {TENANT_ID, COMMON} else _unknown(tenant)


def _configuration(tenant: str, *, issuer: str) -> HttpResponse:
    if tenant not in {TENANT_ID, COMMON}:
        return _unknown(tenant)
    address = base(tenant)
    return JsonResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{address}/oauth2/v2.0/authorize",
            "token_endpoint": f"{address}/oauth2/v2.0/token",
            "jwks_uri": f"{address}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }
    )


def _name(tenant: str) -> str:
    """Return what stands in issuers; documents that serve every tenant leave it open."""
    return "{tenantid}" if tenant == COMMON else tenant


def _unknown(tenant: str) -> HttpResponse:
    return entra_error("invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found.")

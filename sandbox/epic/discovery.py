"""What an Epic says about itself: SMART configuration, CapabilityStatement, OpenID configuration, keys.

Sources: SMART App Launch 2.2; FHIR R4 ``CapabilityStatement``. Like the real one, ``/metadata`` answers
XML unless JSON is asked for.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from sandbox import faults, keys
from sandbox.epic import addresses

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_OAUTH_NAMES = (("authorize", "authorization"), ("token", "token"))  # in the extension, in our endpoints


@require_safe
def smart_configuration(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer where the authorization server is and what it can do; Epics before August 2021 do not know it."""
    if faults.get("epic.discovery") == "no_smart_configuration":
        return HttpResponse(status=404)
    capabilities = ["launch-ehr", "launch-standalone", "client-confidential-asymmetric", "sso-openid-connect"]
    return JsonResponse(
        {
            **_endpoints(request, environment),
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "profile", "fhirUser", "launch"],
            "capabilities": capabilities,
        }
    )


@require_safe
def metadata(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer the CapabilityStatement."""
    if "json" not in request.headers.get("Accept", ""):
        xml = '<CapabilityStatement xmlns="http://hl7.org/fhir"><fhirVersion value="4.0.1"/></CapabilityStatement>'
        return HttpResponse(xml, content_type="application/fhir+xml")
    endpoints = _endpoints(request, environment)
    uris = [{"url": name, "valueUri": endpoints[f"{key}_endpoint"]} for name, key in _OAUTH_NAMES]
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "software": {"name": "Epic (sandbox)", "version": "November 2026"},
        "implementation": {"description": f"Lamna Healthcare {environment}", "url": addresses.fhir(environment)},
        "rest": [{"mode": "server", "security": {"extension": [{"url": _OAUTH_URIS, "extension": uris}]}}],
    }
    return JsonResponse(statement, content_type="application/fhir+json")


@require_safe
def openid_configuration(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer what OpenID Connect clients look for (OpenID Connect Discovery 1.0)."""
    return JsonResponse(
        {
            **_endpoints(request, environment),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
    )


@require_safe
def jwks(request: HttpRequest, environment: str) -> HttpResponse:
    """Answer the keys that id_tokens are signed with."""
    return JsonResponse(keys.jwks(name=keys.EPIC))


def _endpoints(request: HttpRequest, environment: str) -> dict[str, Any]:
    """Return the addresses; a site may have other ones for a client, told only to who names the client."""
    oauth = addresses.oauth(environment)
    is_override = faults.get("epic.discovery") == "per_client"
    told = f"{oauth}-of-others" if is_override and not request.headers.get("Epic-Client-ID") else oauth
    return {
        "issuer": oauth,
        "authorization_endpoint": f"{told}/authorize",
        "token_endpoint": f"{told}/token",
        "jwks_uri": f"{oauth}/jwks",
    }

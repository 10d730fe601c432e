"""Addresses of one Epic environment, below ``/epic/<environment>/``."""

from django.urls import path

from sandbox.epic import authorize, chart, discovery, status, tokens

_TELEHEALTH = "api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"

urlpatterns = [
    path("api/FHIR/R4/.well-known/smart-configuration", discovery.smart_configuration),
    path("api/FHIR/R4/metadata", discovery.metadata),
    path("oauth2/jwks", discovery.jwks),
    path("oauth2/.well-known/openid-configuration", discovery.openid_configuration),
    path("oauth2/authorize", authorize.authorize, name="epic_authorize"),
    path("oauth2/token", tokens.token),
    *(path(f"api/FHIR/R4/{name}", chart.create, {"resource_type": name}) for name in ("Communication", "Observation")),
    path(_TELEHEALTH, status.set_external_connection_status),
]

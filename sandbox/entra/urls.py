"""Addresses of Entra, below ``/entra/``."""

from django.urls import path

from sandbox.entra import discovery, tokens, views

urlpatterns = [
    path("<str:tenant>/v2.0/.well-known/openid-configuration", discovery.configuration),
    path("<str:tenant>/.well-known/openid-configuration", discovery.first_configuration),
    path("<str:tenant>/discovery/v2.0/keys", discovery.keys),
    path("<str:tenant>/discovery/keys", discovery.keys),
    path("<str:tenant>/oauth2/v2.0/authorize", views.authorize, name="entra_authorize"),
    path("<str:tenant>/oauth2/v2.0/token", tokens.token),
]

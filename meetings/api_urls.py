"""Addresses of the Teams tenant in the REST API, below ``/api/v1/``."""

from django.urls import path

from meetings import api

app_name = "teams_api"
urlpatterns = [
    path("teams", api.TenantView.as_view(), name="tenant"),
    path("teams/secret", api.SecretView.as_view(), name="secret"),
    path("teams/certificate", api.CertificateMakeView.as_view(), name="certificate"),
    path("teams/certificate/use", api.CertificateUseView.as_view(), name="certificate_use"),
    path("teams/certificate/discard", api.CertificateDiscardView.as_view(), name="certificate_discard"),
]

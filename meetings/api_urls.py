"""Addresses of the Teams tenant in the REST API, below ``/api/v1/teams``."""

from django.urls import path

from meetings import api

app_name = "teams_api"
urlpatterns = [
    path("", api.TenantView.as_view(), name="tenant"),
    path("/secret", api.SecretView.as_view(), name="secret"),
    path("/certificate", api.CertificateMakeView.as_view(), name="certificate"),
    path("/certificate/use", api.CertificateUseView.as_view(), name="certificate_use"),
    path("/certificate/discard", api.CertificateDiscardView.as_view(), name="certificate_discard"),
]

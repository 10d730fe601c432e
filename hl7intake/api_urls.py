"""Addresses of senders in the REST API, below ``/api/v1/``."""

from django.urls import path

from hl7intake import api

app_name = "hl7_api"
urlpatterns = [
    path("endpoints/<uuid:endpoint_id>/hl7/certificates", api.CertificateListView.as_view(), name="certificates"),
    path("endpoints/<uuid:endpoint_id>/hl7/watch", api.WatchView.as_view(), name="watch"),
    path("endpoints/<uuid:endpoint_id>/hl7/interface", api.InterfaceView.as_view(), name="interface"),
    path("hl7/certificates/check", api.CertificateCheckView.as_view(), name="certificate_check"),
    path(
        "hl7/certificates/<uuid:certificate_id>/revoke", api.CertificateRevokeView.as_view(), name="certificate_revoke"
    ),
    path("hl7/retention", api.RetentionView.as_view(), name="retention"),
]

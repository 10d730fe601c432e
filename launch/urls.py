"""Addresses of launches and visits."""

from django.urls import path

from epic.connection import Audience
from launch.views import device_test, epic, guest, patient, provider

_AUDIENCES = (Audience.PROVIDER, Audience.PATIENT)

app_name = "launch"
urlpatterns = [
    *(path(f"launch/{who}/<uuid:launch_id>", epic.start, {"audience": who}, name=f"{who}_start") for who in _AUDIENCES),
    *(
        path(f"launch/{who}/<uuid:launch_id>/callback", epic.callback, {"audience": who}, name=f"{who}_callback")
        for who in _AUDIENCES
    ),
    *(
        path(f"launch/{who}/<uuid:launch_id>/link", epic.context_link, {"audience": who}, name=f"{who}_link")
        for who in _AUDIENCES
    ),
    path("launch/visit", provider.status, name="status"),
    path("launch/visit/status", provider.status_part, name="status_part"),
    path("launch/visit/stream", provider.no_stream, name="status_stream"),
    path("launch/visit/text", provider.text_again, name="status_text"),
    path("launch/visit/join", provider.join, name="status_join"),
    path("launch/visit/account", provider.account_callback, name="account_callback"),
    path("launch/visit/invite", provider.invite, name="status_invite"),
    path("launch/visit/revoke", provider.revoke, name="status_revoke"),
    path("j/<str:token>", patient.link, name="link"),
    path("i/<str:token>", guest.invitation, name="invitation"),
    path("visit", patient.visit, name="visit"),
    path("visit/status", patient.visit_part, name="visit_part"),
    path("visit/join", patient.join, name="visit_join"),
    path("visit/check", device_test.page, name="device_test"),
    path("visit/check/sample", device_test.sample, name="device_test_sample"),
    path("visit/check/upload", device_test.upload, name="device_test_upload"),
    path("visit/check/result", device_test.result, name="device_test_result"),
    path("visit/rating", patient.rate, name="visit_rating"),
    path("visit/end", patient.end, name="visit_end"),
]

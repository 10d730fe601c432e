"""Addresses of the page Microsoft Teams, under ``setup/teams/``."""

from django.urls import path

from meetings.views import teams

app_name = "teams"
urlpatterns = [
    path("", teams.settings, name="settings"),
    path("save", teams.save, name="save"),
    path("secret", teams.secret, name="secret"),
    path("certificate", teams.certificate, name="certificate"),
    path("certificate.cer", teams.download, name="download"),
]

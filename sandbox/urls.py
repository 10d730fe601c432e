"""Addresses of the twin: each prefix stands for a host of the real world."""

from django.urls import include, path

urlpatterns = [
    path("", include("sandbox.pages.urls")),
    path("entra/", include("sandbox.entra.urls")),
    path("epic/<slug:environment>/", include("sandbox.epic.urls")),
    path("graph/", include("sandbox.graph.urls")),
    path("teams/", include("sandbox.teams.urls")),
    path("acs/", include("sandbox.sms.acs_urls")),
    path("twilio/", include("sandbox.sms.twilio_urls")),
]

"""Addresses of the setup pages of context-aware links, under ``setup/context-links/``."""

from django.urls import path

from launch.views import links

app_name = "links"
urlpatterns = [
    path("", links.overview, name="overview"),
    path("<uuid:endpoint_id>", links.setup, name="setup"),
]

"""Addresses of meetings, below ``/webhooks/``."""

from django.urls import path

from meetings import webhooks

app_name = "meetings"

urlpatterns = [
    path("graph/notifications", webhooks.graph_notifications, name="graph-notifications"),
    path("graph/lifecycle", webhooks.graph_lifecycle, name="graph-lifecycle"),
]

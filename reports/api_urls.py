"""Addresses of the reports' REST API, below ``/api/v1/reports/``."""

from django.urls import path

from reports import api

app_name = "reports_api"
urlpatterns = [
    path("summary", api.SummaryView.as_view(), name="summary"),
    path("appointments", api.VisitsView.as_view(), name="appointments"),
    path("texts", api.TextsView.as_view(), name="texts"),
    path("call-quality", api.CallQualityView.as_view(), name="call_quality"),
]

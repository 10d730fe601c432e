"""Addresses of the reports."""

from django.urls import path

from reports.views import differences, usage

app_name = "reports"
urlpatterns = [
    path("", usage.usage, name="usage"),
    path("differences", differences.differences, name="differences"),
    path("differences.csv", differences.export, name="differences_csv"),
]

"""Addresses of the reports."""

from django.urls import path

from reports.views import differences, pages, settings

app_name = "reports"
urlpatterns = [
    path("", pages.appointments, name="usage"),
    path("duration", pages.duration, name="duration"),
    path("ehr", pages.ehr, name="ehr"),
    path("sms", pages.sms, name="sms"),
    path("settings", settings.settings, name="settings"),
    path("differences", differences.differences, name="differences"),
    path("differences.csv", differences.export, name="differences_csv"),
]

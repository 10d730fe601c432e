"""Addresses of the reports."""

from django.urls import path

from reports.views import differences, exports, pages, quality, saved, settings

app_name = "reports"
urlpatterns = [
    path("", pages.appointments, name="usage"),
    path("duration", pages.duration, name="duration"),
    path("ehr", pages.ehr, name="ehr"),
    path("sms", pages.sms, name="sms"),
    path("quality", quality.quality, name="quality"),
    path("files", exports.exports, name="exports"),
    path("files/new", exports.export, name="export"),
    path("files/<uuid:export_id>", exports.download, name="download"),
    path("views", saved.views, name="views"),
    path("views/new", saved.save, name="save_view"),
    path("views/<uuid:view_id>/schedule", saved.schedule, name="schedule"),
    path("views/<uuid:view_id>/remove", saved.remove, name="remove_view"),
    path("settings", settings.settings, name="settings"),
    path("differences", differences.differences, name="differences"),
    path("differences.csv", differences.export, name="differences_csv"),
]

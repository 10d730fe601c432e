"""Addresses of the connector."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("core.urls")),
    path("", include("config_portal.urls")),
    path("", include("launch.urls")),
    path("accounts/", include("accounts.urls")),
    path("webhooks/", include("meetings.urls")),
    path("webhooks/", include("sms.webhook_urls")),
    path("setup/sms/", include("sms.setup_urls")),
    path("messages/", include("sms.message_urls")),
    path("hl7/", include("hl7intake.urls")),
    path("setup/teams/", include("meetings.setup_urls")),
    path("setup/context-links/", include("launch.setup_urls")),
    path("setup/telling-epic/", include("writeback.urls")),
    path("", include("hl7intake.portal_urls")),
    path("status/", include("reports.status_urls")),
    path("visits/", include("reports.urls")),
    path("reports/", include("reports.report_urls")),
    path("api/v1/", include("config_portal.api.urls")),
    path("api/v1/reports/", include("reports.api_urls")),
    path("api/v1/", include("meetings.api_urls")),
    path("api/v1/", include("sms.api.urls")),
    path("api/v1/", include("writeback.api_urls")),
    path("api/v1/", include("hl7intake.api_urls")),
    path("admin/", admin.site.urls),
]

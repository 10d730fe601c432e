"""Address of the status page."""

from django.urls import path

from reports.views import status

app_name = "status"
urlpatterns = [path("", status.status, name="page")]

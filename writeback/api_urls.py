"""Addresses of the write-back in the REST API, below ``/api/v1/``."""

from django.urls import path

from writeback import api

app_name = "writeback_api"
urlpatterns = [path("endpoints/<uuid:endpoint_id>/writeback", api.WritebackView.as_view(), name="writeback")]

"""Addresses of the setup pages of write-back."""

from django.urls import path

from writeback import views

app_name = "writeback"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("<uuid:endpoint_id>", views.setup, name="setup"),
]

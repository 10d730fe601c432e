"""Addresses that open a meeting, below ``/teams/``."""

from django.urls import path

from sandbox.teams import views

urlpatterns = [
    path("l/meetup-join/<str:thread>/0", views.join),
    path("visit/webrtc-svc/api/route", views.visit),
]

"""Addresses of core: health."""

from django.urls import path
from django.views.i18n import set_language

from core import views
from core.access import access
from core.views_session import extend_session, session_state
from core.views_styleguide import styleguide

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("language", access("public")(set_language), name="set_language"),
    path("session", extend_session, name="session_extend"),
    path("session/state", session_state, name="session_state"),
    path("styleguide", styleguide, name="styleguide"),
]

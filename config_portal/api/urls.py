"""Addresses of the REST API, below ``/api/v1/``."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from config_portal.api import openapi, views  # noqa: F401 - openapi registers what it describes
from core.access import access

app_name = "api"
_ENDPOINT = "endpoints/<uuid:endpoint_id>/"

urlpatterns = [
    path("schema", access("public")(SpectacularAPIView.as_view(authentication_classes=[])), name="schema"),
    path("organization", views.OrganizationView.as_view(), name="organization"),
    path("audit", views.AuditView.as_view(), name="audit"),
    path("endpoints", views.EndpointListView.as_view(), name="endpoints"),
    path(_ENDPOINT.rstrip("/"), views.EndpointView.as_view(), name="endpoint"),
    path(f"{_ENDPOINT}draft", views.DraftView.as_view(), name="draft"),
    path(f"{_ENDPOINT}ask", views.AskView.as_view(), name="ask"),
    path(f"{_ENDPOINT}pause", views.PauseView.as_view(), name="pause"),
    path(f"{_ENDPOINT}resume", views.ResumeView.as_view(), name="resume"),
    path(f"{_ENDPOINT}versions", views.VersionListView.as_view(), name="versions"),
    path(f"{_ENDPOINT}versions/<int:number>", views.VersionView.as_view(), name="version"),
    path(f"{_ENDPOINT}versions/<int:number>/restore", views.RestoreView.as_view(), name="restore"),
    path(f"{_ENDPOINT}records", views.RecordsView.as_view(), name="records"),
    path(f"{_ENDPOINT}records/compare", views.CompareView.as_view(), name="compare"),
]

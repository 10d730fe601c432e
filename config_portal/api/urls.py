"""Addresses of the REST API, below ``/api/v1/``; other apps add theirs beside them."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from config_portal.api import (
    keys,
    openapi,  # noqa: F401 - registers what it describes
    organization,
    preflight,
    sharing,
    views,
)
from core.access import access

app_name = "api"
_ENDPOINT = "endpoints/<uuid:endpoint_id>/"

urlpatterns = [
    path("schema", access("public")(SpectacularAPIView.as_view(authentication_classes=[])), name="schema"),
    path("organization", organization.OrganizationView.as_view(), name="organization"),
    path("configuration", organization.ConfigurationView.as_view(), name="configuration"),
    path("audit", views.AuditView.as_view(), name="audit"),
    path("keys", keys.KeysView.as_view(), name="keys"),
    path("keys/<str:environment>/rotate", keys.RotateView.as_view(), name="keys_rotate"),
    path("keys/<str:environment>/try", keys.TryView.as_view(), name="keys_try"),
    path("keys/<str:environment>/switch", keys.SwitchView.as_view(), name="keys_switch"),
    path("keys/<str:environment>/revoke", keys.RevokeView.as_view(), name="keys_revoke"),
    path("endpoints", views.EndpointListView.as_view(), name="endpoints"),
    path(_ENDPOINT.rstrip("/"), views.EndpointView.as_view(), name="endpoint"),
    path(f"{_ENDPOINT}draft", views.DraftView.as_view(), name="draft"),
    path(f"{_ENDPOINT}ask", views.AskView.as_view(), name="ask"),
    path(f"{_ENDPOINT}pause", views.PauseView.as_view(), name="pause"),
    path(f"{_ENDPOINT}resume", views.ResumeView.as_view(), name="resume"),
    path(f"{_ENDPOINT}withdraw", views.WithdrawView.as_view(), name="withdraw"),
    path(f"{_ENDPOINT}invitations", sharing.InvitationListView.as_view(), name="invitations"),
    path("invitations/<uuid:invitation_id>/revoke", sharing.InvitationRevokeView.as_view(), name="invitation_revoke"),
    path(f"{_ENDPOINT}preflight", preflight.RunListView.as_view(), name="preflights"),
    path(f"{_ENDPOINT}preflight/<uuid:run_id>", preflight.RunView.as_view(), name="preflight"),
    path(f"{_ENDPOINT}versions", views.VersionListView.as_view(), name="versions"),
    path(f"{_ENDPOINT}versions/<int:number>", views.VersionView.as_view(), name="version"),
    path(f"{_ENDPOINT}versions/<int:number>/restore", views.RestoreView.as_view(), name="restore"),
    path(f"{_ENDPOINT}records", views.RecordsView.as_view(), name="records"),
    path(f"{_ENDPOINT}records/compare", views.CompareView.as_view(), name="compare"),
]

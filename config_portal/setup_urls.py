"""Addresses under ``setup/``: the task list and the portal's own pages behind it."""

from django.urls import path

from config_portal.views import endpoints, keys, organization, preflight, setup

urlpatterns = [
    path("", setup.setup, name="setup"),
    path("organization/", organization.organization, name="organization"),
    path("organization/save", organization.save_organization, name="organization_save"),
    path("configuration.json", organization.export, name="export"),
    path("endpoints/", endpoints.listed, name="endpoints"),
    path("endpoints/add", endpoints.add, name="endpoint_add"),
    path("endpoints/preview", endpoints.preview_part, name="endpoint_preview"),
    path("endpoints/<uuid:endpoint_id>/", endpoints.detail, name="endpoint"),
    path("endpoints/<uuid:endpoint_id>/edit", endpoints.edit, name="endpoint_edit"),
    path("endpoints/<uuid:endpoint_id>/invite", endpoints.invite, name="endpoint_invite"),
    path("endpoints/invitations/<uuid:invitation_id>/revoke", endpoints.revoke, name="invitation_revoke"),
    path("keys/", keys.listed, name="keys"),
    path("keys/<uuid:key_id>/certificate", keys.certificate, name="certificate"),
    path("keys/<str:environment>/rotate", keys.rotate, name="keys_rotate"),
    path("keys/<str:environment>/try", keys.try_keys, name="keys_try"),
    path("keys/<str:environment>/revoke", keys.revoke, name="keys_revoke"),
    path("check/", preflight.listed, name="preflights"),
    path("check/<uuid:endpoint_id>/", preflight.detail, name="preflight"),
    path("check/<uuid:endpoint_id>/start", preflight.start, name="preflight_start"),
]

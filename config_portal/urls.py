"""Addresses of the configuration portal.

Pages of the setup lie under ``setup/``, those of other apps too (``setup/sms/``, ``setup/certificates/``),
so that the rail marks Setup on all of them.
"""

from django.urls import include, path

from config_portal.views import (
    approval,
    approval_sign_in,
    approving,
    audit,
    keys,
    organization,
    records,
    setup,
    tokens,
    versions,
)

app_name = "portal"
urlpatterns = [
    path("", setup.home, name="home"),
    path("organization", setup.switch_organization, name="switch_organization"),
    path("request-access/", organization.ask, name="request_access"),
    path("setup/", include("config_portal.setup_urls")),
    path(".well-known/jwks/<uuid:launch_id>.json", keys.jwks, name="jwks"),
    path("setup/approval/", approval.overview, name="approvals"),
    path("setup/approval/rules", approval.set_rules, name="approval_rules"),
    path("setup/approval/<uuid:endpoint_id>/", approval.detail, name="approval"),
    path("setup/approval/<uuid:endpoint_id>/ask", approval.ask, name="ask_approval"),
    path("setup/approval/<uuid:endpoint_id>/approve", approving.approve, name="approve"),
    path("setup/approval/confirmed", approving.approve_confirmed, name="approve_confirmed"),
    path("setup/approval/<uuid:endpoint_id>/send-back", approval.send_back, name="send_back"),
    path("setup/approval/<uuid:endpoint_id>/approver", approval.name_anew, name="name_anew"),
    path("setup/approval/<uuid:endpoint_id>/pause", approval.set_paused, name="pause"),
    path("setup/approval/<uuid:endpoint_id>/revoke", approval.revoke, name="revoke"),
    path("setup/approval/<uuid:endpoint_id>/epic", approval_sign_in.begin, name="approval_epic"),
    path("setup/approval/<uuid:endpoint_id>/versions/<int:number>/", versions.detail, name="version"),
    path("setup/approval/<uuid:endpoint_id>/versions/<int:number>/restore", versions.restore, name="restore"),
    path("setup/approval/epic/<uuid:launch_id>/callback", approval_sign_in.callback, name="approval_callback"),
    path("setup/records/", records.overview, name="records_overview"),
    path("setup/records/<uuid:endpoint_id>/", records.detail, name="records"),
    path("setup/records/<uuid:endpoint_id>/sheet", records.hand_over, name="hand_over"),
    path("setup/records/<uuid:endpoint_id>/records.<slug:kind>", records.download, name="records_file"),
    path("settings/", tokens.settings, name="settings"),
    path("settings/tokens/<uuid:token_id>/revoke", tokens.revoke, name="revoke_token"),
    path("audit/", audit.trail, name="audit"),
    path("audit/export", audit.export, name="audit_export"),
    path("audit/verify", audit.verify, name="audit_verify"),
]

"""Organizations and their connections for support staff."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from config_portal import onboarding_admin  # noqa: F401 - registers its pages
from config_portal.models import ConfigurationVersion, FhirEndpoint, Membership, SigningKey
from config_portal.services import running
from core.admin import ReadOnlyAdmin, ReasonActionForm, reason_given


@admin.register(FhirEndpoint)
class FhirEndpointAdmin(ReadOnlyAdmin):
    """FHIR base URLs and whether they run."""

    organization_path = "organization"
    list_display = ["name", "organization", "environment", "base_url", "is_paused", "approved_version"]
    list_filter = ["environment", "is_paused"]
    list_select_related = ["organization", "approved_version__endpoint"]
    search_fields = ["name", "base_url"]
    actions = ["pause"]
    action_form = ReasonActionForm

    @admin.action(description="Pause at once (give a reason)", permissions=["view"])
    def pause(self, request: HttpRequest, rows: QuerySet[FhirEndpoint]) -> None:
        """Stop launches, texts and news to Epic; an administrator or analyst lets the connection run again."""
        reason = reason_given(self, request)
        for endpoint in rows if reason else ():
            running.pause(endpoint, actor=request.user.get_username(), reason=reason)
            self.message_user(request, f"{endpoint.name} is paused.", messages.SUCCESS)


@admin.register(ConfigurationVersion)
class ConfigurationVersionAdmin(ReadOnlyAdmin):
    """What was approved, by whom, and when."""

    list_display = ["endpoint", "number", "approved_at", "approved_by", "digest"]
    list_select_related = ["endpoint"]


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Key pairs, without their private halves."""

    list_display = ["key_id", "organization", "environment", "purpose", "state", "created_at"]
    list_filter = ["environment", "purpose", "state"]
    list_select_related = ["organization"]
    exclude = ["private_key"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Roles, as Entra gave them at the last sign-in."""

    list_display = ["user", "organization", "role"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]

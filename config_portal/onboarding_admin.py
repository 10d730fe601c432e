"""Onboarding in Django admin, for support staff: the same services as the management commands."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config_portal.models import AccessRequest, Environment, Organization, Subscription
from config_portal.services.onboarding import accept_request, decline_request
from config_portal.services.organizations import authorize_organization, create_organization, record_subscription
from config_portal.services.portable import export_configuration
from config_portal.services.rotation import start_rotation
from core.admin import ReadOnlyAdmin, ReasonActionForm, reason_given
from core.errors import ConfigurationError


class NewOrganizationForm(forms.ModelForm):  # type: ignore[type-arg]  # django-stubs: generic only for the checker
    """What an organization begins with."""

    tenant_id = forms.UUIDField(label="Entra tenant id")

    class Meta:
        model = Organization
        fields = ["slug", "name", "country", "time_zone", "epic_contact_name", "epic_contact_email"]


@admin.register(Organization)
class OrganizationAdmin(ReadOnlyAdmin):
    """Who uses the connector; made, authorized and exported here, changed in the portal."""

    list_display = ["name", "slug", "region", "time_zone", "test_authorized_at", "production_authorized_at"]
    search_fields = ["name", "slug"]
    actions = ["authorize_for_test", "authorize_for_production", "rotate_test", "rotate_production", "export"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow superusers to create an organization."""
        return bool(request.user.is_active and request.user.is_superuser)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Ask for the tenant too while creating."""
        return NewOrganizationForm if obj is None else super().get_form(request, obj, change, **options)

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Create through the service, which also lets the tenant's staff in."""
        values = {name: form.cleaned_data[name] for name in NewOrganizationForm.Meta.fields if name != "slug"}
        made = create_organization(
            slug=form.cleaned_data["slug"],
            tenant_id=form.cleaned_data["tenant_id"],
            values=values,
            actor=request.user.get_username(),
        )
        obj.pk = made.pk

    @admin.action(description="Authorize for test")
    def authorize_for_test(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Open test."""
        self._each(request, queryset, lambda one: _authorize(one, Environment.TEST, request))

    @admin.action(description="Authorize for production (needs a subscription)")
    def authorize_for_production(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Open production."""
        self._each(request, queryset, lambda one: _authorize(one, Environment.PRODUCTION, request))

    @admin.action(description="Rotate the test keys")
    def rotate_test(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Publish new keys for test."""
        self._each(request, queryset, lambda one: _rotate(one, Environment.TEST, request))

    @admin.action(description="Rotate the production keys")
    def rotate_production(self, request: HttpRequest, queryset: QuerySet[Organization]) -> None:
        """Publish new keys for production."""
        self._each(request, queryset, lambda one: _rotate(one, Environment.PRODUCTION, request))

    @admin.action(description="Export the configuration of one organization")
    def export(self, request: HttpRequest, queryset: QuerySet[Organization]) -> HttpResponse | None:
        """Download the file that import_configuration reads."""
        organization = queryset.first()
        if organization is None or queryset.count() > 1:
            self.message_user(request, "Choose one organization.", messages.ERROR)
            return None
        response = HttpResponse(export_configuration(organization, now=timezone.now()), content_type="application/json")
        response.headers["Content-Disposition"] = f'attachment; filename="{organization.slug}.json"'
        return response

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Organization], act: Callable[[Organization], None]
    ) -> None:
        for organization in queryset:
            _tell(self, request, str(organization), act, organization)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """What production rests on; recorded once, then a fact."""

    list_display = ["reference", "organization", "starts_on", "ends_on", "recorded_by"]
    list_select_related = ["organization"]
    search_fields = ["reference", "organization__slug"]
    fields = ["organization", "reference", "starts_on", "ends_on"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow superusers to record one."""
        return bool(request.user.is_active and request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Record through the service, which writes the audit trail."""
        given = {name: form.cleaned_data[name] for name in ("reference", "starts_on", "ends_on")}
        obj.pk = record_subscription(obj.organization, **given, actor=request.user.get_username()).pk


@admin.register(AccessRequest)
class AccessRequestAdmin(ReadOnlyAdmin):
    """Who asked for access; accepted or declined here."""

    list_display = ["name", "state", "region", "requested_by", "epic_contact_email", "created_at"]
    list_filter = ["state"]
    list_select_related = ["requested_by"]
    search_fields = ["name", "=tenant_id"]
    actions = ["accept", "decline"]
    action_form = ReasonActionForm

    @admin.action(description="Accept: create the organization and authorize it for test")
    def accept(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        """Accept each."""
        for asked in queryset:
            _tell(self, request, asked.name, lambda one: _accept(one, request), asked)

    @admin.action(description="Decline (give a reason; who asked reads it)")
    def decline(self, request: HttpRequest, queryset: QuerySet[AccessRequest]) -> None:
        """Decline each."""
        reason = reason_given(self, request)
        for asked in queryset if reason else ():
            _tell(self, request, asked.name, lambda one: _decline(one, reason, request), asked)


def _authorize(organization: Organization, environment: str, request: HttpRequest) -> None:
    authorize_organization(organization, environment=environment, actor=request.user.get_username(), now=timezone.now())


def _rotate(organization: Organization, environment: str, request: HttpRequest) -> None:
    start_rotation(organization, environment=environment, actor=request.user.get_username(), now=timezone.now())


def _accept(asked: AccessRequest, request: HttpRequest) -> None:
    accept_request(asked, actor=request.user.get_username(), now=timezone.now())


def _decline(asked: AccessRequest, reason: str, request: HttpRequest) -> None:
    decline_request(asked, reason=reason, actor=request.user.get_username(), now=timezone.now())


def _tell(page: ReadOnlyAdmin, request: HttpRequest, name: str, act: Callable[[Any], None], row: Any) -> None:
    """Do it, and say of this row that it is done or why not."""
    try:
        act(row)
    except ConfigurationError as error:
        page.message_user(request, f"{name}: {error.user_message}", messages.ERROR)
    else:
        page.message_user(request, f"{name}: done.", messages.SUCCESS)

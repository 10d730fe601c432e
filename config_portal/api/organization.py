"""The organization of the token: what it says about itself, and its draft as a file."""

import json
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ApiView, StrictSerializer, checked
from config_portal.forms.organization import OrganizationForm
from config_portal.models import Organization
from config_portal.models.api_token import Scope
from config_portal.prerequisites import PREREQUISITES
from config_portal.services.organizations import EDITABLE, change_organization
from config_portal.services.portable import export_configuration


class OrganizationSerializer(serializers.ModelSerializer[Organization]):
    """The organization of the token."""

    prerequisites = serializers.ListField(child=serializers.CharField(), help_text="Those that are confirmed")

    class Meta:
        model = Organization
        fields = [
            "id", "name", "slug", "region", "country", "time_zone", "help_phone", "epic_contact_name",
            "epic_contact_email", "prerequisites", "forbids_self_approval", "test_authorized_at",
            "production_authorized_at",
        ]  # fmt: skip


class OrganizationWriteSerializer(StrictSerializer):
    """Changes of what the organization says about itself; what is not named stays."""

    name = serializers.CharField(max_length=120, required=False)
    country = serializers.CharField(max_length=2, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    help_phone = serializers.CharField(max_length=20, required=False)
    epic_contact_name = serializers.CharField(max_length=120, required=False)
    epic_contact_email = serializers.CharField(max_length=254, required=False)
    prerequisites = serializers.ListField(
        child=serializers.ChoiceField(choices=[item.key for item in PREREQUISITES]), required=False
    )


class OrganizationView(ApiView):
    """The organization of the token."""

    scopes = {"GET": Scope.ORGANIZATION_READ, "PATCH": Scope.ORGANIZATION_WRITE}

    @extend_schema(responses=OrganizationSerializer)
    def get(self, request: Request) -> Response:
        """Return the organization."""
        return Response(OrganizationSerializer(organization_of(request)).data)

    @extend_schema(request=OrganizationWriteSerializer, responses=OrganizationSerializer)
    def patch(self, request: Request) -> Response:
        """Change what it says about itself; pages and texts show it once it is approved."""
        organization = organization_of(request)
        values = checked(OrganizationForm(_as_typed(organization, OrganizationWriteSerializer.read(request))))
        change_organization(
            organization,
            values={name: values[name] for name in EDITABLE},
            confirmed=set(values["prerequisites"]),
            actor=actor_of(request),
            now=timezone.now(),
        )
        organization.refresh_from_db()
        return Response(OrganizationSerializer(organization).data)


class ConfigurationView(ApiView):
    """The configuration as a file."""

    scopes = {"GET": Scope.ORGANIZATION_READ}

    @extend_schema(responses={(200, "application/json"): dict[str, Any]})
    def get(self, request: Request) -> Response:
        """Return the draft as ``import_configuration`` reads it: no secrets, keys or approvals."""
        return Response(json.loads(export_configuration(organization_of(request), now=timezone.now())))


def _as_typed(organization: Organization, given: dict[str, Any]) -> dict[str, Any]:
    """Return what somebody would have typed into the form."""
    stands = {name: getattr(organization, name) for name in EDITABLE}
    return stands | {"prerequisites": list(organization.prerequisites)} | given

"""REST API of how each Epic is told: what the page Telling Epic does. The password is never answered."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of
from config_portal.api.base import ApiView, StrictSerializer, checked
from config_portal.models import FhirEndpoint
from config_portal.models.api_token import Scope
from writeback.forms import WritebackForm
from writeback.models.configuration import AuthorizationKind, DeviceTestMeans, Means
from writeback.services import drafts


class WritebackSerializer(StrictSerializer):
    """How one Epic is told; of changes, what is not named stays."""

    means = serializers.ChoiceField(choices=Means.choices, required=False)
    connected_from = serializers.ChoiceField(choices=["lobby", "call"], required=False)
    authorization = serializers.ChoiceField(choices=AuthorizationKind.choices, required=False)
    basic_username = serializers.CharField(max_length=120, required=False, allow_blank=True)
    path = serializers.CharField(max_length=300, required=False)
    method = serializers.ChoiceField(choices=["GET", "PUT", "POST"], required=False)
    vendor_name = serializers.CharField(max_length=80, required=False)
    connected = serializers.CharField(max_length=20, required=False)
    disconnected = serializers.CharField(max_length=20, required=False)
    observation_system = serializers.CharField(max_length=200, required=False, allow_blank=True)
    presence_code = serializers.CharField(max_length=60, required=False, allow_blank=True)
    device_test_code = serializers.CharField(max_length=60, required=False, allow_blank=True)
    device_tests = serializers.ChoiceField(choices=DeviceTestMeans.choices, required=False)
    device_test_path = serializers.CharField(max_length=300, required=False, allow_blank=True)
    most_at_once = serializers.IntegerField(required=False)
    most_a_second = serializers.IntegerField(required=False)
    parameters = serializers.DictField(
        child=serializers.CharField(max_length=60), required=False, help_text="Our name of a parameter → Epic's"
    )
    external_id_types = serializers.DictField(
        child=serializers.CharField(max_length=20), required=False, help_text="Role of a person → code of their id"
    )
    basic_password = serializers.CharField(
        max_length=200, required=False, write_only=True, help_text="Of the background user; acts at once"
    )
    has_password = serializers.BooleanField(read_only=True)
    needs_approval = serializers.BooleanField(read_only=True, help_text="Whether this differs from what runs")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse names of parameters and roles that the service does not know, too."""
        known = WritebackForm.nested_names()
        for entry, names in known.items():
            unknown = sorted(set(attrs.get(entry, {})) - set(names))
            if unknown:
                raise serializers.ValidationError({entry: [f"There is no {', '.join(unknown)}."]})
        return super().validate(attrs)


class WritebackView(ApiView):
    """How one Epic is told."""

    scopes = {"GET": Scope.WRITEBACK_READ, "PATCH": Scope.WRITEBACK_WRITE}

    @extend_schema(responses=WritebackSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the draft."""
        return Response(_shown(self.endpoint(request, endpoint_id)))

    @extend_schema(request=WritebackSerializer, responses=WritebackSerializer)
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change the draft; it takes effect when it is approved. A password acts at once."""
        endpoint = self.endpoint(request, endpoint_id)
        draft = drafts.draft_of(endpoint)
        stands = dict(WritebackForm(draft=draft).initial)
        values = checked(WritebackForm(stands | _as_typed(WritebackSerializer.read(request)), draft=draft))
        drafts.save_draft(
            endpoint,
            values,
            connection_status=values["connection_status"],
            password=values["basic_password"],
            actor=actor_of(request),
        )
        return Response(_shown(self.endpoint(request, endpoint_id)))


def _as_typed(given: dict[str, Any]) -> dict[str, Any]:
    """Return what somebody would have typed into the form, which knows no entries within entries."""
    flat = {name: value for name, value in given.items() if name not in WritebackForm.nested_names()}
    for entry, names in WritebackForm.nested_names().items():
        flat |= {names[name]: value for name, value in given.get(entry, {}).items()}
    return flat


def _shown(endpoint: FhirEndpoint) -> dict[str, Any]:
    draft = drafts.draft_of(endpoint)
    typed = dict(WritebackForm(draft=draft).initial)
    entries = {
        entry: {name: typed.pop(field) for name, field in names.items()}
        for entry, names in WritebackForm.nested_names().items()
    }
    says = {"has_password": bool(draft.basic_password), "needs_approval": drafts.needs_approval(endpoint)}
    return {**typed, **entries, **says}

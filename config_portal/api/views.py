"""The REST API of the portal, version 1: what the portal's pages do, for scripts with a token.

An approval is not here: it needs a person who signs in to Epic.
"""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal import records, snapshot
from config_portal.api import serializers
from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import CREATED, ApiView
from config_portal.api.writing import write_endpoint
from config_portal.models import FhirEndpoint
from config_portal.models.api_token import Scope
from config_portal.services import approval, drift, record_files, restoring, running
from config_portal.services.drafts import draft_of
from core.errors import ConfigurationError
from core.models import AuditEvent

_MOST_EVENTS = 500


class EndpointListView(ApiView):
    """FHIR base URLs."""

    scopes = {"GET": Scope.ENDPOINTS_READ, "POST": Scope.ENDPOINTS_WRITE}

    @extend_schema(responses=serializers.EndpointSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return every FHIR base URL of the organization."""
        own = snapshot.with_parts(FhirEndpoint.objects.for_organization(organization_of(request)))
        return Response(serializers.EndpointSerializer(own, many=True).data)

    @extend_schema(request=serializers.EndpointWriteSerializer, responses={201: serializers.EndpointSerializer})
    def post(self, request: Request) -> Response:
        """Add one, as a draft."""
        given = serializers.EndpointWriteSerializer.read(request)
        organization = organization_of(request)
        added = write_endpoint(organization, None, given, actor=actor_of(request), now=timezone.now())
        return Response(serializers.EndpointSerializer(self.endpoint(request, added.pk)).data, status=CREATED)


class EndpointView(ApiView):
    """One FHIR base URL."""

    scopes = {"GET": Scope.ENDPOINTS_READ, "PATCH": Scope.ENDPOINTS_WRITE}

    @extend_schema(responses=serializers.EndpointSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return its draft and where its approval stands."""
        return Response(serializers.EndpointSerializer(self.endpoint(request, endpoint_id)).data)

    @extend_schema(request=serializers.EndpointWriteSerializer, responses=serializers.EndpointSerializer)
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change the draft; what runs is untouched until somebody approves."""
        endpoint = self.endpoint(request, endpoint_id)
        given = serializers.EndpointWriteSerializer.read(request)
        write_endpoint(endpoint.organization, endpoint, given, actor=actor_of(request), now=timezone.now())
        return Response(serializers.EndpointSerializer(self.endpoint(request, endpoint_id)).data)


class DraftView(ApiView):
    """What an approval now would let run."""

    scopes = {"GET": Scope.ENDPOINTS_READ}

    @extend_schema(responses=serializers.DraftSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the draft with its digest, and its differences from what runs, in words."""
        return Response(serializers.DraftSerializer(draft_of(self.endpoint(request, endpoint_id))).data)


class AskView(ApiView):
    """Ask the approver."""

    scopes = {"POST": Scope.ENDPOINTS_WRITE}

    @extend_schema(request=None, responses=serializers.EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Ask the approver to approve the draft."""
        endpoint = self.endpoint(request, endpoint_id)
        approval.ask(endpoint, actor=actor_of(request), now=timezone.now())
        return Response(serializers.EndpointSerializer(endpoint).data)


class PauseView(ApiView):
    """Pause a connection."""

    scopes = {"POST": Scope.ENDPOINTS_PAUSE}

    @extend_schema(request=serializers.PauseSerializer, responses=serializers.EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Stop launches, texts and news to Epic at once."""
        endpoint = self.endpoint(request, endpoint_id)
        reason = serializers.PauseSerializer.read(request).get("reason", "")
        running.pause(endpoint, actor=actor_of(request), reason=reason)
        return Response(serializers.EndpointSerializer(endpoint).data)


class ResumeView(ApiView):
    """Let a paused connection run again."""

    scopes = {"POST": Scope.ENDPOINTS_PAUSE}

    @extend_schema(request=None, responses=serializers.EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Let what was approved run again."""
        endpoint = self.endpoint(request, endpoint_id)
        running.resume(endpoint, actor=actor_of(request))
        return Response(serializers.EndpointSerializer(endpoint).data)


class WithdrawView(ApiView):
    """Take an approval back."""

    scopes = {"POST": Scope.ENDPOINTS_PAUSE}

    @extend_schema(request=serializers.ReasonSerializer, responses=serializers.EndpointSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Let nothing run from now on until somebody approves anew."""
        endpoint = self.endpoint(request, endpoint_id)
        reason = serializers.ReasonSerializer.read(request)["reason"]
        running.revoke(endpoint, actor=actor_of(request), reason=reason)
        return Response(serializers.EndpointSerializer(endpoint).data)


class VersionListView(ApiView):
    """Approved versions."""

    scopes = {"GET": Scope.ENDPOINTS_READ}

    @extend_schema(responses=serializers.VersionSerializer(many=True))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return every approved version, newest first."""
        versions = self.endpoint(request, endpoint_id).versions.all()
        return Response(serializers.VersionSerializer(versions, many=True).data)


class VersionView(ApiView):
    """One approved version."""

    scopes = {"GET": Scope.ENDPOINTS_READ}

    @extend_schema(responses=serializers.VersionDetailSerializer)
    def get(self, request: Request, endpoint_id: UUID, number: int) -> Response:
        """Return the version with its content."""
        version = get_object_or_404(self.endpoint(request, endpoint_id).versions, number=number)
        return Response(serializers.VersionDetailSerializer(version).data)


class RestoreView(ApiView):
    """Back to an earlier version."""

    scopes = {"POST": Scope.ENDPOINTS_WRITE}

    @extend_schema(request=None, responses=serializers.DraftSerializer)
    def post(self, request: Request, endpoint_id: UUID, number: int) -> Response:
        """Put the version's content into the draft; it runs once somebody approves it."""
        endpoint = self.endpoint(request, endpoint_id)
        version = get_object_or_404(endpoint.versions, number=number)
        restoring.restore(endpoint, version, actor=actor_of(request))
        return Response(serializers.DraftSerializer(draft_of(self.endpoint(request, endpoint_id))).data)


class RecordsView(ApiView):
    """Integration records."""

    scopes = {"GET": Scope.RECORDS_READ}

    @extend_schema(responses=serializers.RecordsSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the records that follow from what was approved."""
        endpoint = self.endpoint(request, endpoint_id)
        return Response(record_files.content(endpoint, records.records_of(endpoint), now=timezone.now()))


class CompareView(ApiView):
    """Compare a record with what Epic has."""

    scopes = {"POST": Scope.RECORDS_READ}

    @extend_schema(request=serializers.CompareSerializer, responses=serializers.ComparisonSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Return field by field what differs; nothing is stored."""
        endpoint = self.endpoint(request, endpoint_id)
        given = serializers.CompareSerializer.read(request)
        kind = given["kind"]
        record = next((found for found in records.records_of(endpoint) if found.kind == kind), None)
        if record is None:
            raise ConfigurationError("records.unknown_kind", "There is no integration record of this kind.")
        report = drift.compare(record, given["text"], others={})
        return Response(serializers.ComparisonSerializer(report).data)


class AuditView(ApiView):
    """The audit trail."""

    scopes = {"GET": Scope.AUDIT_READ}

    @extend_schema(
        parameters=[OpenApiParameter("after", int, description="Only events behind this sequence number")],
        responses=serializers.AuditEventSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return up to 500 events in their order; go on with ``after`` the last sequence number."""
        after = request.query_params.get("after", "0")
        behind = int(after) if after.isdecimal() and len(after) < 19 else 0  # noqa: PLR2004 - what a bigint holds
        events = AuditEvent.objects.filter(organization_id=organization_of(request).pk, sequence__gt=behind)
        return Response(serializers.AuditEventSerializer(events.order_by("sequence")[:_MOST_EVENTS], many=True).data)

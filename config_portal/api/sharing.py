"""Share a FHIR base URL with an affiliate by invitation."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import CREATED, ApiView, StrictSerializer
from config_portal.models import BaseUrlInvitation
from config_portal.models.api_token import Scope
from config_portal.services.sharing import invite_affiliate, revoke_invitation


class InvitationSerializer(serializers.ModelSerializer[BaseUrlInvitation]):
    """An invitation, without its code."""

    class Meta:
        model = BaseUrlInvitation
        fields = ["id", "affiliate", "created_by", "created_at", "expires_at", "revoked_at", "accepted_at"]


class NewInvitationSerializer(InvitationSerializer):
    """An invitation that was just made, with its code."""

    code = serializers.CharField(help_text="Shown this once, to be given to the affiliate")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "code"]


class InviteSerializer(StrictSerializer):
    """Who the invitation is for."""

    affiliate = serializers.CharField(max_length=120)


class InvitationListView(ApiView):
    """Invitations to share one FHIR base URL."""

    scopes = {"GET": Scope.ENDPOINTS_READ, "POST": Scope.ENDPOINTS_WRITE}

    @extend_schema(responses=InvitationSerializer(many=True))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return every invitation, newest first."""
        invitations = self.endpoint(request, endpoint_id).invitations.all()
        return Response(InvitationSerializer(invitations, many=True).data)

    @extend_schema(request=InviteSerializer, responses={201: NewInvitationSerializer})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Invite an affiliate; its code is answered this once."""
        endpoint = self.endpoint(request, endpoint_id)
        affiliate = InviteSerializer.read(request)["affiliate"]
        invitation, code = invite_affiliate(endpoint, affiliate=affiliate, actor=actor_of(request), now=timezone.now())
        return Response({**InvitationSerializer(invitation).data, "code": code}, status=CREATED)


class InvitationRevokeView(ApiView):
    """Make an invitation useless that nobody has used yet."""

    scopes = {"POST": Scope.ENDPOINTS_WRITE}

    @extend_schema(request=None, responses=InvitationSerializer)
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """Revoke it; one that was accepted stays what it is."""
        own = BaseUrlInvitation.objects.for_organization(organization_of(request)).select_related("endpoint")
        invitation = get_object_or_404(own, pk=invitation_id)
        revoke_invitation(invitation, actor=actor_of(request), now=timezone.now())
        invitation.refresh_from_db()
        return Response(InvitationSerializer(invitation).data)

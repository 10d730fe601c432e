"""REST API of the Teams tenant: what the page Microsoft Teams does. No secret and no private key is ever answered."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ApiView, StrictSerializer, checked
from config_portal.models import LobbyScope, MeetingChat, OrganizerMode, Presenters, TeamsTenant
from config_portal.models.api_token import Scope
from meetings.forms import SecretForm, TenantForm
from meetings.presenters import TenantPage
from meetings.services import tenant as service


class TenantSerializer(serializers.ModelSerializer[TeamsTenant]):
    """The Teams tenant: its draft, and what proves the connector there."""

    has_secret = serializers.SerializerMethodField(help_text="Whether a client secret is kept")
    thumbprint = serializers.SerializerMethodField(help_text="SHA-1, of the certificate in use; '' without one")
    next_thumbprint = serializers.SerializerMethodField(help_text="Of the certificate that waits to be registered")
    policy_commands = serializers.SerializerMethodField(help_text="Cmdlets of the application access policy")

    class Meta:
        model = TeamsTenant
        fields = [
            "tenant_id", *service.EDITABLE, "has_secret", "client_secret_expires_on", "certificate", "thumbprint",
            "certificate_expires_at", "next_certificate", "next_thumbprint", "next_certificate_expires_at",
            "credential_expires_at", "policy_commands",
        ]  # fmt: skip

    def get_has_secret(self, tenant: TeamsTenant) -> bool:
        """Return whether there is one."""
        return tenant.client_secret is not None

    def get_thumbprint(self, tenant: TeamsTenant) -> str:
        """Return what the Entra admin center lists."""
        return service.thumbprint(tenant.certificate) if tenant.certificate else ""

    def get_next_thumbprint(self, tenant: TeamsTenant) -> str:
        """Return what the Entra admin center will list."""
        return service.thumbprint(tenant.next_certificate) if tenant.next_certificate else ""

    def get_policy_commands(self, tenant: TeamsTenant) -> list[str]:
        """Return them filled in; none before application and organizer are known."""
        return [command for _, command in TenantPage(tenant, timezone.now()).policy_commands]


class TenantWriteSerializer(StrictSerializer):
    """Changes of the draft; what is not named stays."""

    client_id = serializers.UUIDField(required=False)
    organizer_mode = serializers.ChoiceField(choices=OrganizerMode.choices, required=False)
    organizer_object_id = serializers.UUIDField(required=False)
    lobby_scope = serializers.ChoiceField(choices=LobbyScope.choices, required=False)
    allowed_presenters = serializers.ChoiceField(choices=Presenters.choices, required=False)
    meeting_chat = serializers.ChoiceField(choices=MeetingChat.choices, required=False)


class SecretSerializer(StrictSerializer):
    """A client secret."""

    secret = serializers.CharField(max_length=400, write_only=True, help_text="Its value; kept encrypted")
    expires_on = serializers.DateField(help_text="Its last day")


class TenantApiView(ApiView):
    """Base of every view of the tenant."""

    def tenant(self, request: Request) -> TeamsTenant:
        """Return the organization's tenant.

        :raises Http404: before anybody has named it.
        """
        found = service.tenant_of(organization_of(request))
        if found is None:
            raise Http404
        return found

    def answer(self, request: Request) -> Response:
        """Answer how the tenant stands now."""
        return Response(TenantSerializer(self.tenant(request)).data)


class TenantView(TenantApiView):
    """The Teams tenant."""

    scopes = {"GET": Scope.TEAMS_READ, "PATCH": Scope.TEAMS_WRITE}

    @extend_schema(responses=TenantSerializer)
    def get(self, request: Request) -> Response:
        """Return its draft and what proves the connector there."""
        return self.answer(request)

    @extend_schema(request=TenantWriteSerializer, responses=TenantSerializer)
    def patch(self, request: Request) -> Response:
        """Change the draft; it takes effect when it is approved."""
        tenant = self.tenant(request)
        stands = {name: getattr(tenant, name) for name in service.EDITABLE}
        values = checked(TenantForm(stands | TenantWriteSerializer.read(request)))
        service.save_tenant(tenant, values=values, actor=actor_of(request))
        return self.answer(request)


class SecretView(TenantApiView):
    """The client secret."""

    scopes = {"PUT": Scope.TEAMS_WRITE, "DELETE": Scope.TEAMS_WRITE}

    @extend_schema(request=SecretSerializer, responses=TenantSerializer)
    def put(self, request: Request) -> Response:
        """Try a client secret at Entra and keep it encrypted; it acts at once."""
        tenant = self.tenant(request)
        given = checked(SecretForm(SecretSerializer.read(request), today=timezone.now().date()))
        service.save_secret(tenant, **given, actor=actor_of(request))
        return self.answer(request)

    @extend_schema(responses={200: TenantSerializer})
    def delete(self, request: Request) -> Response:
        """Forget the client secret, once a certificate has taken its place."""
        service.remove_secret(self.tenant(request), actor=actor_of(request))
        return self.answer(request)


class CertificateStepView(TenantApiView):
    """Base of what is done with the next certificate."""

    scopes = {"POST": Scope.TEAMS_WRITE}

    def step(self, tenant: TeamsTenant, *, actor: str) -> Any:
        """Do it."""
        raise NotImplementedError

    @extend_schema(request=None, responses=TenantSerializer)
    def post(self, request: Request) -> Response:
        """Do it, and answer how the tenant stands."""
        self.step(self.tenant(request), actor=actor_of(request))
        return self.answer(request)


class CertificateMakeView(CertificateStepView):
    """Make the next certificate; register ``next_certificate`` in Entra, then use it."""

    def step(self, tenant: TeamsTenant, *, actor: str) -> None:
        """Make it; one that waits already is kept."""
        service.make_certificate(tenant, actor=actor, now=timezone.now())


class CertificateUseView(CertificateStepView):
    """Try the next certificate at Entra and use it from now on."""

    def step(self, tenant: TeamsTenant, *, actor: str) -> None:
        """Use it."""
        service.use_certificate(tenant, actor=actor)


class CertificateDiscardView(CertificateStepView):
    """Throw the certificate away that waits to be used."""

    def step(self, tenant: TeamsTenant, *, actor: str) -> None:
        """Discard it."""
        service.discard_certificate(tenant, actor=actor)

"""Key pairs and the steps of their rotation. Private halves are never answered."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ApiView
from config_portal.models import Environment, Organization, SigningKey
from config_portal.models.api_token import Scope
from config_portal.services import rotation
from config_portal.services.key_trials import try_upcoming


class KeySerializer(serializers.ModelSerializer[SigningKey]):
    """One key pair, its public half."""

    class Meta:
        model = SigningKey
        fields = [
            "id", "purpose", "state", "key_id", "certificate", "created_at", "confirmed_at", "activated_at",
            "replaced_at",
        ]  # fmt: skip


class KeySetSerializer(serializers.Serializer[Any]):
    """The keys of one environment that are not retired, and how far their rotation is."""

    environment = serializers.ChoiceField(choices=Environment.choices)
    published_at = serializers.DateTimeField(allow_null=True, help_text="When the upcoming keys were published")
    switch_at = serializers.DateTimeField(allow_null=True, help_text="When Epic has them at the latest")
    is_known_to_epic = serializers.BooleanField(help_text="Whether Epic has accepted each upcoming key")
    retire_at = serializers.DateTimeField(allow_null=True, help_text="When the last replaced key is withdrawn")
    keys = KeySerializer(many=True)


def known(environment: str) -> str:
    """Return ``environment`` if there is one of this name.

    :raises Http404: there is none.
    """
    if environment not in Environment.values:
        raise Http404
    return environment


class KeysView(ApiView):
    """Key pairs."""

    scopes = {"GET": Scope.KEYS_READ}

    @extend_schema(responses=KeySetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the keys of both environments."""
        return Response(KeySetSerializer(rotation.key_sets(organization_of(request)), many=True).data)


class TrialSerializer(serializers.Serializer[Any]):
    """What one Epic said to the upcoming keys."""

    endpoint = serializers.UUIDField(source="endpoint.pk")
    name = serializers.CharField(source="endpoint.name")
    is_accepted = serializers.BooleanField()
    accepted = serializers.ListField(child=serializers.CharField(), help_text="RS384, ES384")
    refused = serializers.ListField(child=serializers.CharField())
    problem = serializers.CharField(help_text="Why it could not be asked; '' when it answered")


class TryView(ApiView):
    """Try the upcoming keys at Epic."""

    scopes = {"POST": Scope.KEYS_WRITE}

    @extend_schema(request=None, responses=TrialSerializer(many=True))
    def post(self, request: Request, environment: str) -> Response:
        """Ask every Epic of the environment; once all accept the keys, they are switched to within a minute."""
        now = timezone.now()
        trials = try_upcoming(
            organization_of(request), environment=known(environment), actor=actor_of(request), now=now
        )
        return Response(TrialSerializer(trials, many=True).data)


class KeyStepView(ApiView):
    """Base of the steps of a rotation; each answers how the keys stand after it."""

    scopes = {"POST": Scope.KEYS_WRITE}

    def step(self, organization: Organization, **named: Any) -> None:
        """Take the step; ``named`` are environment, actor and now."""
        raise NotImplementedError

    @extend_schema(request=None, responses=KeySetSerializer)
    def post(self, request: Request, environment: str) -> Response:
        """Take the step."""
        organization = organization_of(request)
        self.step(organization, environment=known(environment), actor=actor_of(request), now=timezone.now())
        keys = next(found for found in rotation.key_sets(organization) if found.environment == environment)
        return Response(KeySetSerializer(keys).data)


class RotateView(KeyStepView):
    """Publish new keys; they are used by themselves as soon as Epic has them. Twice publishes once."""

    def step(self, organization: Organization, **named: Any) -> None:
        """Publish."""
        rotation.start_rotation(organization, **named)


class SwitchView(KeyStepView):
    """Use the published keys from now on; refused while Epic may not have them yet."""

    def step(self, organization: Organization, **named: Any) -> None:
        """Switch."""
        rotation.switch_keys(organization, **named)


class RevokeView(KeyStepView):
    """Stop publishing replaced keys at once, as after a leak."""

    def step(self, organization: Organization, **named: Any) -> None:
        """Withdraw."""
        rotation.revoke_replaced(organization, **named)

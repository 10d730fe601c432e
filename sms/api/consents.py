"""The two consents. Whoever gives them through a script sends the sentences that are agreed to."""

from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import ApiView, StrictSerializer
from config_portal.models import Organization
from config_portal.models.api_token import Scope
from sms.models import SmsConsent
from sms.services import consents


class ConsentSerializer(serializers.Serializer[Any]):
    """One of the two, as it stands."""

    kind = serializers.ChoiceField(choices=SmsConsent.Kind.choices)
    wording = serializers.CharField(help_text="The sentence that is agreed to")
    given_by = serializers.CharField(source="current.given_by", default="")
    given_at = serializers.DateTimeField(source="current.given_at", default=None, allow_null=True)


class ConsentGiveSerializer(StrictSerializer):
    """Both sentences, word for word as they are read."""

    patients = serializers.CharField()
    processing = serializers.CharField()

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        """Refuse a sentence that is not the one in force now: it was not read."""
        other = {kind for kind, text in attrs.items() if text != consents.WORDINGS[kind]}
        if other:
            raise serializers.ValidationError(
                {kind: ["Send the sentence of sms/consents word for word."] for kind in sorted(other)}
            )
        return super().validate(attrs)


class ConsentListView(ApiView):
    """The two consents without which nothing is texted."""

    scopes = {"GET": Scope.SMS_READ, "POST": Scope.SMS_WRITE}

    @extend_schema(responses=ConsentSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return both, with the sentences and who agreed to them."""
        return _answer(organization_of(request))

    @extend_schema(request=ConsentGiveSerializer, responses=ConsentSerializer(many=True))
    def post(self, request: Request) -> Response:
        """Give both; one that is in force stays as it was."""
        organization, given = organization_of(request), ConsentGiveSerializer.read(request)
        consents.give(organization, list(given), actor=actor_of(request), now=timezone.now())
        return _answer(organization)


class ConsentWithdrawView(ApiView):
    """Take a consent back."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=None, responses=ConsentSerializer(many=True))
    def post(self, request: Request, kind: str) -> Response:
        """Take it back; no text goes out any more."""
        if kind not in SmsConsent.Kind.values:
            raise Http404
        organization = organization_of(request)
        consents.withdraw(organization, kind, actor=actor_of(request), now=timezone.now())
        return _answer(organization)


def _answer(organization: Organization) -> Response:
    return Response(ConsentSerializer(consents.states(organization), many=True).data)

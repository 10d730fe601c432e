"""What is texted for one FHIR base URL: the draft, and the two switches that act at once."""

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
from sms.forms.setup import LEAST_MINUTES, MOST_MINUTES, MOST_REMINDERS, SetupForm
from sms.models import PhoneNumber
from sms.services import drafts, planning

_NUMBERS = ("number", "failover_number")


class SmsSerializer(StrictSerializer):
    """What is texted for one FHIR base URL; of changes, what is not named stays. Times are local, HH:MM."""

    number = serializers.CharField(required=False, allow_blank=True, help_text="E.164, one that is held; '': no texts")
    failover_number = serializers.CharField(required=False, allow_blank=True, help_text="Of another supplier")
    confirms_scheduled = serializers.BooleanField(required=False)
    confirms_moved = serializers.BooleanField(required=False)
    confirms_cancelled = serializers.BooleanField(required=False)
    reminder_minutes = serializers.ListField(
        child=serializers.IntegerField(min_value=LEAST_MINUTES, max_value=MOST_MINUTES),
        required=False,
        max_length=MOST_REMINDERS,
        help_text="How long before the visit each reminder is sent",
    )
    quiet_from = serializers.CharField(required=False, allow_blank=True, help_text="'': no quiet hours")
    quiet_until = serializers.CharField(required=False, allow_blank=True)
    visit_cap = serializers.IntegerField(required=False, help_text="Most texts about one visit in 24 hours")
    organization_cap = serializers.IntegerField(required=False, help_text="Most texts of all visits in 24 hours")
    is_blocked_accepted = serializers.BooleanField(
        required=False, write_only=True, help_text="Carriers drop texts from this number until it is verified"
    )
    is_stop_accepted = serializers.BooleanField(
        required=False, write_only=True, help_text="Patients get no texts once this is approved"
    )
    is_paused = serializers.BooleanField(read_only=True)
    released_percent = serializers.IntegerField(read_only=True)
    needs_approval = serializers.BooleanField(read_only=True, help_text="Whether this differs from what runs")


class SmsPauseSerializer(StrictSerializer):
    """Why texts are paused."""

    reason = serializers.CharField(max_length=200)


class ShareSerializer(StrictSerializer):
    """Share of visits that is texted about."""

    percent = serializers.ChoiceField(choices=drafts.SHARES)


class SmsView(ApiView):
    """What is texted for one FHIR base URL."""

    scopes = {"GET": Scope.SMS_READ, "PATCH": Scope.SMS_WRITE}

    @extend_schema(responses=SmsSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the draft and the switches."""
        return Response(_shown(self.endpoint(request, endpoint_id)))

    @extend_schema(request=SmsSerializer, responses=SmsSerializer)
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change the draft; it takes effect when it is approved."""
        endpoint = self.endpoint(request, endpoint_id)
        drafts.save_draft(endpoint, _choices(endpoint, SmsSerializer.read(request)), actor=actor_of(request))
        return Response(_shown(self.endpoint(request, endpoint_id)))


class SmsPauseView(ApiView):
    """Pause texts."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=SmsPauseSerializer, responses=SmsSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send nothing for this FHIR base URL from now on."""
        endpoint = self.endpoint(request, endpoint_id)
        drafts.pause(endpoint, reason=SmsPauseSerializer.read(request)["reason"], actor=actor_of(request))
        return Response(_shown(endpoint))


class SmsUnpauseView(ApiView):
    """Let texts go out again."""

    scopes = {"POST": Scope.SMS_WRITE}

    @extend_schema(request=None, responses=SmsSerializer)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send again what was approved; what became too late meanwhile is not made up for."""
        endpoint = self.endpoint(request, endpoint_id)
        drafts.unpause(endpoint, actor=actor_of(request))
        return Response(_shown(endpoint))


class SmsShareView(ApiView):
    """A careful start."""

    scopes = {"PUT": Scope.SMS_WRITE}

    @extend_schema(request=ShareSerializer, responses=SmsSerializer)
    def put(self, request: Request, endpoint_id: UUID) -> Response:
        """Text about this share of visits from now on."""
        endpoint = self.endpoint(request, endpoint_id)
        drafts.release_share(endpoint, ShareSerializer.read(request)["percent"], actor=actor_of(request))
        return Response(_shown(endpoint))


def _choices(endpoint: FhirEndpoint, given: dict[str, Any]) -> dict[str, Any]:
    """Return the whole draft with what was given in it, checked by the portal's form."""
    stands = drafts.plain_choices(drafts.draft_of(endpoint))
    typed = stands | given
    reminders = sorted(set(typed.pop("reminder_minutes")), reverse=True)
    typed |= {name: _held(endpoint, name, typed[name]) for name in _NUMBERS}
    form = SetupForm(
        typed,
        instance=drafts.draft_of(endpoint),
        organization=endpoint.organization,
        runs=bool(planning.approved_choices_of(endpoint)),
    )
    form.has_reminders = bool(reminders)
    return {**checked(form), "reminder_minutes": reminders}


def _held(endpoint: FhirEndpoint, name: str, number: str | None) -> UUID | None:
    """Return the id of a number that the organization holds, by which the form knows it."""
    if not number:
        return None
    held = PhoneNumber.objects.for_organization(endpoint.organization).held().filter(number=number).first()
    if held is None:
        raise serializers.ValidationError({name: ["The organization holds no such number."]})
    return held.pk


def _shown(endpoint: FhirEndpoint) -> dict[str, Any]:
    draft = drafts.draft_of(endpoint)
    return {
        **{name: "" if value is None else value for name, value in drafts.plain_choices(draft).items()},
        "is_paused": draft.is_paused,
        "released_percent": draft.released_percent,
        "needs_approval": drafts.needs_approval(endpoint),
    }

"""Runs of the pre-flight check: begin one, then ask how it goes."""

from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal import doctor
from config_portal.api.authentication import actor_of
from config_portal.api.base import ACCEPTED, ApiView, StrictSerializer, checked
from config_portal.forms.preflight import InputsForm
from config_portal.models import FhirEndpoint, PreflightLine, PreflightRun
from config_portal.models.api_token import Scope
from config_portal.services.preflight import draft_digest, request_preflight
from config_portal.tasks import run_preflight_task
from core.jobs import enqueue_after_commit

_MOST_RUNS = 20


class LineSerializer(serializers.ModelSerializer[PreflightLine]):
    """One check: what came out, why, and who mends it."""

    class Meta:
        model = PreflightLine
        fields = ["name", "title", "state", "cause", "who", "todo", "code", "link", "milliseconds"]


class RunSerializer(serializers.ModelSerializer[PreflightRun]):
    """One run. ``inputs`` are never answered."""

    is_of_draft = serializers.SerializerMethodField(help_text="Whether the draft is still what was checked")
    lines = LineSerializer(many=True)

    class Meta:
        model = PreflightRun
        fields = [
            "id", "state", "requested_by", "created_at", "finished_at", "passed", "failed", "is_of_draft", "lines",
        ]  # fmt: skip

    def get_is_of_draft(self, run: PreflightRun) -> bool:
        """Return whether the draft has not been changed since."""
        return run.digest == str(self.context["digest"])


class InputsSerializer(StrictSerializer):
    """What some checks need; left out, those are not run. Wiped when the run ends."""

    inputs = serializers.DictField(
        child=serializers.CharField(max_length=5000),
        required=False,
        help_text="By name, such as test_link, the launch link of a test record in Epic",
    )

    def validate_inputs(self, inputs: dict[str, str]) -> dict[str, str]:
        """Refuse inputs that no check asks for."""
        unknown = sorted(set(inputs) - {known.name for known in doctor.inputs()})
        if unknown:
            raise serializers.ValidationError(f"No check asks for {', '.join(unknown)}.")
        return inputs


class RunListView(ApiView):
    """Runs of the pre-flight check of one FHIR base URL."""

    scopes = {"GET": Scope.PREFLIGHT_READ, "POST": Scope.PREFLIGHT_RUN}

    @extend_schema(responses=RunSerializer(many=True))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the latest 20 runs, newest first."""
        endpoint = self.endpoint(request, endpoint_id)
        return Response(RunSerializer(_runs(endpoint)[:_MOST_RUNS], many=True, context=_context(endpoint)).data)

    @extend_schema(request=InputsSerializer, responses={202: RunSerializer})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Begin a run; while one is under way it is answered instead."""
        endpoint = self.endpoint(request, endpoint_id)
        inputs = checked(InputsForm(InputsSerializer.read(request).get("inputs", {})))
        run = request_preflight(endpoint, inputs=inputs, actor=actor_of(request), now=timezone.now())
        enqueue_after_commit(run_preflight_task, str(run.pk))
        return Response(RunSerializer(run, context=_context(endpoint)).data, status=ACCEPTED)


class RunView(ApiView):
    """One run."""

    scopes = {"GET": Scope.PREFLIGHT_READ}

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, endpoint_id: UUID, run_id: UUID) -> Response:
        """Return how it goes, line by line."""
        endpoint = self.endpoint(request, endpoint_id)
        return Response(RunSerializer(get_object_or_404(_runs(endpoint), pk=run_id), context=_context(endpoint)).data)


def _runs(endpoint: FhirEndpoint) -> QuerySet[PreflightRun]:
    return endpoint.preflight_runs.defer("inputs").prefetch_related("lines").order_by("-created_at")


def _context(endpoint: FhirEndpoint) -> dict[str, str]:
    return {"digest": draft_digest(endpoint)}

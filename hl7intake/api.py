"""REST API of senders: their certificates, after which silence somebody is told, whether rejected texts are kept."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config_portal.api.authentication import actor_of, organization_of
from config_portal.api.base import CREATED, ApiView, StrictSerializer, checked
from config_portal.models import FhirEndpoint
from config_portal.models.api_token import Scope
from hl7intake.certificates import CertificateDetails
from hl7intake.forms import CertificateForm, InterfaceForm, RetentionForm, WatchForm
from hl7intake.models import SenderCertificate, SenderWatch
from hl7intake.services import interface
from hl7intake.services.certificates import add_certificate, check_certificate, revoke
from hl7intake.services.retention import keep_rejected, kept_hours
from hl7intake.services.watching import change_watch


class DetailsSerializer(serializers.Serializer[CertificateDetails]):
    """What is in a certificate."""

    subject = serializers.CharField()
    issuer = serializers.CharField()
    key = serializers.CharField(help_text="Kind and strength, such as RSA 2048 bits")
    fingerprint = serializers.CharField(help_text="SHA-256 of the DER form, hexadecimal")
    spki_sha256 = serializers.CharField(help_text="SHA-256 of the public key, hexadecimal")
    pem = serializers.CharField()
    not_before = serializers.DateTimeField()
    not_after = serializers.DateTimeField()


class CertificateSerializer(serializers.ModelSerializer[SenderCertificate]):
    """A registered certificate."""

    class Meta:
        model = SenderCertificate
        fields = [
            "id", "endpoint", "subject", "fingerprint", "spki_sha256", "pem", "not_before", "not_after", "added_by",
            "created_at", "revoked_at",
        ]  # fmt: skip


class CertificateWriteSerializer(StrictSerializer):
    """A public certificate as text: PEM, or its base64 alone."""

    text = serializers.CharField(max_length=16_384, trim_whitespace=False)


class HoursSerializer(StrictSerializer):
    """A number of hours."""

    hours = serializers.IntegerField()


class CertificateListView(ApiView):
    """Certificates with which an interface engine proves who it is."""

    scopes = {"GET": Scope.HL7_READ, "POST": Scope.HL7_WRITE}

    @extend_schema(responses=CertificateSerializer(many=True))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return those that open a connection, and for 90 days those that do no more."""
        endpoint = self.endpoint(request, endpoint_id)
        known = SenderCertificate.objects.of_engines().remembered_at(timezone.now()).filter(endpoint=endpoint)
        return Response(CertificateSerializer(known, many=True).data)

    @extend_schema(request=CertificateWriteSerializer, responses={201: CertificateSerializer})
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Let its holder send for this FHIR base URL, from the next connection on."""
        endpoint = self.endpoint(request, endpoint_id)
        certificate = add_certificate(endpoint, _data(request), actor=actor_of(request), now=timezone.now())
        return Response(CertificateSerializer(certificate).data, status=CREATED)


class CertificateCheckView(ApiView):
    """Look at a certificate before it is added."""

    scopes = {"POST": Scope.HL7_READ}

    @extend_schema(request=CertificateWriteSerializer, responses=DetailsSerializer)
    def post(self, request: Request) -> Response:
        """Return what is in it, or why it cannot be added; nothing is kept."""
        return Response(DetailsSerializer(check_certificate(_data(request), now=timezone.now())).data)


class CertificateRevokeView(ApiView):
    """Refuse a certificate."""

    scopes = {"POST": Scope.HL7_WRITE}

    @extend_schema(request=None, responses=CertificateSerializer)
    def post(self, request: Request, certificate_id: UUID) -> Response:
        """Refuse it from now on; its open connections close within a minute."""
        own = SenderCertificate.objects.for_organization(organization_of(request))
        certificate = get_object_or_404(own, pk=certificate_id)
        revoke(certificate, actor=actor_of(request), now=timezone.now())
        return Response(CertificateSerializer(certificate).data)


class WatchView(ApiView):
    """After how long a silence of the sender somebody is told."""

    scopes = {"GET": Scope.HL7_READ, "PUT": Scope.HL7_WRITE}

    @extend_schema(responses=HoursSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return after how many hours; 0 tells nobody."""
        return Response({"hours": _watch_hours(self.endpoint(request, endpoint_id))})

    @extend_schema(request=HoursSerializer, responses=HoursSerializer)
    def put(self, request: Request, endpoint_id: UUID) -> Response:
        """Tell somebody after so many hours of silence from now on, 0 to 720."""
        endpoint = self.endpoint(request, endpoint_id)
        hours = checked(WatchForm(HoursSerializer.read(request)))["hours"]
        change_watch(endpoint, hours=hours, actor=actor_of(request))
        return Response({"hours": _watch_hours(endpoint)})


class InterfaceSerializer(StrictSerializer):
    """How one Epic's interface writes; of changes, what is not named stays."""

    start_places = serializers.ListField(child=serializers.CharField(max_length=8), required=False)
    session_id_places = serializers.ListField(child=serializers.CharField(max_length=8), required=False)
    status_map = serializers.DictField(
        child=serializers.CharField(max_length=20), required=False, help_text="What stands in SCH-25 → its meaning"
    )
    fallback_charset = serializers.CharField(max_length=20, required=False)


class InterfaceView(ApiView):
    """How one Epic's interface writes what the standard leaves open."""

    scopes = {"GET": Scope.HL7_READ, "PATCH": Scope.HL7_WRITE}

    @extend_schema(responses=InterfaceSerializer)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Return the draft."""
        return Response(_interface(self.endpoint(request, endpoint_id)))

    @extend_schema(request=InterfaceSerializer, responses=InterfaceSerializer)
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change the draft; it takes effect when it is approved."""
        endpoint = self.endpoint(request, endpoint_id)
        given = _interface(endpoint) | InterfaceSerializer.read(request)
        form = InterfaceForm(instance=interface.draft_of(endpoint))
        typed = {name: form.fields[name].prepare_value(value) for name, value in given.items()}
        values = checked(InterfaceForm(typed, instance=interface.draft_of(endpoint)))
        interface.save_draft(endpoint, values, actor=actor_of(request))
        return Response(_interface(endpoint))


def _interface(endpoint: FhirEndpoint) -> dict[str, Any]:
    draft = interface.draft_of(endpoint)
    return {name: getattr(draft, name) for name in interface.LABELS}


class RetentionView(ApiView):
    """Whether the text of rejected messages is kept for a while."""

    scopes = {"GET": Scope.HL7_READ, "PUT": Scope.HL7_WRITE}

    @extend_schema(responses=HoursSerializer)
    def get(self, request: Request) -> Response:
        """Return for how many hours; 0 keeps nothing."""
        return Response({"hours": kept_hours(organization_of(request))})

    @extend_schema(request=HoursSerializer, responses=HoursSerializer)
    def put(self, request: Request) -> Response:
        """Keep it for so many hours from now on, 0 to 72."""
        organization = organization_of(request)
        hours = checked(RetentionForm(HoursSerializer.read(request)))["hours"]
        keep_rejected(organization, hours=hours, actor=actor_of(request))
        return Response({"hours": kept_hours(organization)})


def _data(request: Request) -> bytes:
    form = CertificateForm(CertificateWriteSerializer.read(request))
    checked(form)
    return form.data_given


def _watch_hours(endpoint: FhirEndpoint) -> int:
    hours: Any = SenderWatch.objects.filter(endpoint=endpoint).values_list("hours", flat=True).first()
    return SenderWatch.DEFAULT_HOURS if hours is None else int(hours)

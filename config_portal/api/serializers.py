"""What the API answers and takes. Wording and checks are those of the portal."""

from typing import Any

from rest_framework import serializers

from config_portal.api.base import StrictSerializer
from config_portal.models import ConfigurationVersion, Environment, FhirEndpoint
from config_portal.services.drafts import draft_of


class EndpointSerializer(serializers.ModelSerializer[FhirEndpoint]):
    """A FHIR base URL: its draft, and where its approval stands."""

    approved_number = serializers.SerializerMethodField(help_text="The version that runs; null when none does")
    is_draft_approved = serializers.SerializerMethodField(help_text="Whether the draft is just what runs")

    class Meta:
        model = FhirEndpoint
        fields = [
            "id", "name", "environment", "base_url", "launch_id", "provider_client_id", "patient_client_id",
            "backend_client_id", "assertion_algorithm", "authorize_method", "approver_username", "time_zone",
            "visit_types", "departments", "frame_ancestors", "join_opens_minutes", "join_closes_minutes", "is_paused",
            "approved_number", "is_draft_approved",
        ]  # fmt: skip

    def get_approved_number(self, endpoint: FhirEndpoint) -> int | None:
        """Return the number of the version that runs."""
        return endpoint.approved_version.number if endpoint.approved_version else None

    def get_is_draft_approved(self, endpoint: FhirEndpoint) -> bool:
        """Return whether nothing waits for an approval."""
        return draft_of(endpoint).is_approved


class EndpointWriteSerializer(StrictSerializer):
    """Changes of a draft; what is not named stays."""

    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    name = serializers.CharField(max_length=50, required=False)
    base_url = serializers.CharField(max_length=500, required=False)
    code = serializers.CharField(max_length=64, required=False, help_text="Invitation code of an affiliate")
    save_anyway = serializers.BooleanField(required=False)
    provider_client_id = serializers.CharField(max_length=120, required=False, allow_blank=True)
    patient_client_id = serializers.CharField(max_length=120, required=False, allow_blank=True)
    backend_client_id = serializers.CharField(max_length=120, required=False, allow_blank=True)
    assertion_algorithm = serializers.ChoiceField(choices=FhirEndpoint.AssertionAlgorithm.choices, required=False)
    authorize_method = serializers.ChoiceField(choices=FhirEndpoint.AuthorizeMethod.choices, required=False)
    approver_username = serializers.CharField(max_length=200, required=False)
    time_zone = serializers.CharField(max_length=64, required=False)
    visit_types = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=200)
    departments = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=200)
    frame_ancestors = serializers.ListField(child=serializers.CharField(max_length=200), required=False, max_length=20)
    join_opens_minutes = serializers.IntegerField(required=False)
    join_closes_minutes = serializers.IntegerField(required=False)


class ReasonSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=2000)


class PauseSerializer(StrictSerializer):
    """Why it is paused, if that is said."""

    reason = serializers.CharField(max_length=2000, required=False)


class DifferenceSerializer(serializers.Serializer[Any]):
    """One value that an approval would change."""

    key = serializers.CharField()
    section = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field's own attribute has this name
    was = serializers.CharField()
    now = serializers.CharField()


class DraftSerializer(serializers.Serializer[Any]):
    """What an approval now would let run."""

    digest = serializers.CharField(help_text="SHA-256 of the canonical JSON of content")
    is_approved = serializers.BooleanField()
    content = serializers.JSONField()
    differences = DifferenceSerializer(many=True)


class VersionSerializer(serializers.ModelSerializer[ConfigurationVersion]):
    """An approved version and what proves it. Epic's subject is not given out."""

    class Meta:
        model = ConfigurationVersion
        fields = [
            "number", "digest", "approved_at", "approved_by", "approver_tenant_id", "approver_object_id", "epic_issuer",
            "epic_signed_in_at", "entra_confirmed_at", "is_self_approved", "restores_number",
        ]  # fmt: skip


class VersionDetailSerializer(VersionSerializer):
    """An approved version with its content."""

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "snapshot"]


class RecordFieldSerializer(serializers.Serializer[Any]):
    """One value to type into Epic."""

    name = serializers.CharField()
    value = serializers.CharField()
    note = serializers.CharField()


class RecordSerializer(serializers.Serializer[Any]):
    """One integration record."""

    kind = serializers.CharField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    fields_ = RecordFieldSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Name the list ``fields``, a name that REST framework's class has for itself."""
        declared = super().get_fields()
        declared["fields"] = declared.pop("fields_")
        return declared


class RecordsSerializer(serializers.Serializer[Any]):
    """All records of one FHIR base URL, as approved."""

    organization = serializers.CharField()
    endpoint = serializers.CharField()
    environment = serializers.CharField()
    base_url = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    digest = serializers.CharField(allow_null=True)
    made_at = serializers.DateTimeField()
    records = RecordSerializer(many=True)


class CompareSerializer(StrictSerializer):
    """What Epic has, of one record."""

    kind = serializers.CharField(max_length=40)
    text = serializers.CharField(max_length=20_000, trim_whitespace=False)


class FieldReportSerializer(serializers.Serializer[Any]):
    """How one field of Epic's record compares."""

    name = serializers.CharField()
    expected = serializers.CharField()
    found = serializers.CharField()
    finding = serializers.ChoiceField(choices=["same", "differs", "missing"])
    hint = serializers.CharField()


class ComparisonSerializer(serializers.Serializer[Any]):
    """How Epic's record compares."""

    is_same = serializers.BooleanField()
    fields_ = FieldReportSerializer(many=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Name the list ``fields``."""
        declared = super().get_fields()
        declared["fields"] = declared.pop("fields_")
        return declared


class AuditEventSerializer(serializers.Serializer[Any]):
    """One event of the audit trail, with what chains it to the one before."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    action = serializers.CharField()
    subject_type = serializers.CharField()
    subject_id = serializers.CharField()
    reference = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]
    previous = serializers.SerializerMethodField()
    digest = serializers.SerializerMethodField()

    def get_previous(self, event: Any) -> str:
        """Return the digest of the event before in hexadecimal."""
        return bytes(event.previous).hex()

    def get_digest(self, event: Any) -> str:
        """Return the digest in hexadecimal."""
        return bytes(event.digest).hex()

"""The page on which a FHIR base URL is added or changed."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.urls import reverse

from config_portal.forms.fields import LinesField, OriginsField, time_zones
from config_portal.models import Environment, FhirEndpoint
from core.errors import ConfigurationError
from epic.base_url import check_base_url

_CLIENT_ID = RegexValidator(r"^[\w.\-]+$", "A client id has letters, digits, hyphens and dots only")
_NAME = RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$", "Use small letters, digits and single hyphens, such as lamna-test")
_LONGEST_WAIT = 24 * 60


class EndpointForm(forms.Form):
    """Everything a FHIR endpoint's draft consists of.

    ``environment`` is there only while adding: keys, launch addresses and records depend on it.
    """

    environment = forms.ChoiceField(choices=Environment, widget=forms.RadioSelect, label="Environment")
    base_url = forms.CharField(
        max_length=500,
        label="FHIR base URL",
        help_text="As Epic shows it, such as https://fhir.example.org/interconnect/api/FHIR/R4",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    code = forms.CharField(
        max_length=64,
        required=False,
        label="Invitation code",
        help_text="Only if another organization here already uses this address and shares it with you.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    save_anyway = forms.BooleanField(
        required=False,
        label="Save the address although not everything about it could be verified",
        help_text="It cannot be approved before it is verified.",
    )
    name = forms.CharField(
        max_length=50,
        validators=[_NAME],
        label="Short name",
        help_text="Shown in the band across pages, such as lamna-test.",
    )
    provider_client_id = forms.CharField(max_length=120, required=False, validators=[_CLIENT_ID], label="Provider app")
    patient_client_id = forms.CharField(max_length=120, required=False, validators=[_CLIENT_ID], label="Patient app")
    backend_client_id = forms.CharField(max_length=120, required=False, validators=[_CLIENT_ID], label="Backend app")
    assertion_algorithm = forms.ChoiceField(
        choices=FhirEndpoint.AssertionAlgorithm,
        label="Signature",
        help_text="Every Epic takes RS384; both public keys are published.",
    )
    authorize_method = forms.ChoiceField(
        choices=FhirEndpoint.AuthorizeMethod,
        label="Way to Epic's sign-in",
        help_text="Long launch tokens only fit into a form.",
    )
    approver_username = forms.CharField(
        max_length=200,
        label="Approver",
        help_text="User name of the Epic analyst in Microsoft Entra, such as dana.ortiz@example.org.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    time_zone = forms.ChoiceField(
        choices=time_zones, label="Time zone", help_text="In which Epic writes appointment times."
    )
    visit_types = LinesField(
        required=False,
        label="Telehealth visit types",
        help_text="One a line, as in Epic's messages, such as VV30. Without any, no visit is a telehealth visit.",
    )
    departments = LinesField(
        required=False, label="Departments", help_text="One a line. Empty means the visit types of every department."
    )
    join_opens_minutes = forms.IntegerField(
        min_value=0, max_value=_LONGEST_WAIT, label="Joining opens", help_text="Minutes before the start of the visit."
    )
    join_closes_minutes = forms.IntegerField(
        min_value=0, max_value=_LONGEST_WAIT, label="Joining closes", help_text="Minutes after the planned end."
    )
    frame_ancestors = OriginsField(
        required=False,
        longest=200,
        most=20,
        label="Pages that may frame the visit",
        help_text="Origins of Hyperdrive and MyChart, one a line, such as https://mychart.example.org.",
    )

    ADDRESS = ("environment", "base_url")
    APPS = ("provider_client_id", "patient_client_id", "backend_client_id", "assertion_algorithm", "authorize_method")
    VISITS = ("time_zone", "visit_types", "departments", "join_opens_minutes", "join_closes_minutes")

    def __init__(self, *args: Any, endpoint: FhirEndpoint | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if endpoint is not None:
            del self.fields["environment"]
        self.fields["base_url"].widget.attrs.update(
            {
                "hx-post": reverse("portal:endpoint_preview"),
                "hx-trigger": "change",
                "hx-target": "#preview",
                "hx-include": "closest form",
                "hx-indicator": "#preview",
            }
        )

    def clean_base_url(self) -> str:
        """Return the normal form of the address, or say which part is missing."""
        try:
            return check_base_url(str(self.cleaned_data["base_url"]))
        except ConfigurationError as error:
            raise forms.ValidationError(error.user_message, code=error.code) from error

    def clean_approver_username(self) -> str:
        """Return the user name as Entra compares it: in small letters."""
        return str(self.cleaned_data["approver_username"]).strip().lower()

    def clean(self) -> dict[str, Any]:
        """Refuse one client id in two fields: Epic would treat patients and providers alike."""
        cleaned: dict[str, Any] = super().clean() or {}
        seen: dict[str, str] = {}
        for name in ("provider_client_id", "patient_client_id", "backend_client_id"):
            value = cleaned.get(name)
            if value and value in seen:
                self.add_error(name, f"This is the client id of the {self.fields[seen[value]].label} too")
            elif value:
                seen[value] = name
        return cleaned

    @property
    def address_fields(self) -> list[forms.BoundField]:
        """What the address is."""
        return [self[name] for name in self.ADDRESS if name in self.fields]

    @property
    def app_fields(self) -> list[forms.BoundField]:
        """The three apps in Epic."""
        return [self[name] for name in self.APPS]

    @property
    def visit_fields(self) -> list[forms.BoundField]:
        """Which appointments are visits, and when they open."""
        return [self[name] for name in self.VISITS]

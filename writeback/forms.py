"""The form of how one Epic is told."""

from collections.abc import Mapping
from typing import Any

from django import forms

from core.errors import ConfigurationError
from epic.telehealth import ConnectionStatusSettings
from writeback.models import WritebackConfiguration
from writeback.models.configuration import AuthorizationKind, DeviceTestMeans, Means
from writeback.services import drafts

_DEFAULTS = ConnectionStatusSettings()
_METHODS = [(method, method) for method in ("GET", "PUT", "POST")]
_FROM = [("lobby", "Already in the lobby"), ("call", "Only in the call")]
# The fields of the form that make up one setting of the service: field → (entry, name within the entry).
_PARAMETERS = {f"parameter_{name}": name for name in _DEFAULTS.parameters}
_ID_TYPES = {f"id_type_{role}": role for role in _DEFAULTS.external_id_types}
_PARAMETER_LABELS = {
    "conference_id": "Conference id",
    "external_id": "Person's id",
    "external_id_type": "Kind of id",
    "vendor_name": "Vendor name",
    "status": "Status",
}


class WritebackForm(forms.Form):
    """Everything that differs between Epics, with what was seen in the field as the default."""

    means = forms.ChoiceField(label="Tell Epic by", widget=forms.RadioSelect, choices=Means.choices)
    connected_from = forms.ChoiceField(
        label="A person counts as connected", widget=forms.RadioSelect, choices=_FROM,
        help_text="Epic's schedule can show that a patient waits only if the lobby counts.",
    )  # fmt: skip
    authorization = forms.ChoiceField(
        label="Prove who we are as", widget=forms.RadioSelect, choices=AuthorizationKind.choices
    )
    basic_username = forms.CharField(
        label="Background user", max_length=120, required=False, help_text="Without the prefix emp$."
    )
    basic_password = forms.CharField(
        label="Password", max_length=200, required=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"})
    )
    path = forms.CharField(label="Path", max_length=300, help_text="Below the Interconnect address, from its first /.")
    method = forms.ChoiceField(label="Method", choices=_METHODS)
    vendor_name = forms.CharField(label="Vendor name", max_length=80, help_text="Must equal the name in Epic's build.")
    connected = forms.CharField(label="Code for connected", max_length=20)
    disconnected = forms.CharField(label="Code for disconnected", max_length=20)
    observation_system = forms.CharField(
        label="Code system", max_length=200, required=False, help_text="A URI, such as urn:oid:… of the site."
    )
    presence_code = forms.CharField(label="Code of coming and going", max_length=60, required=False)
    device_test_code = forms.CharField(label="Code of device tests", max_length=60, required=False)
    device_tests = forms.ChoiceField(
        label="Result of a device test", widget=forms.RadioSelect, choices=DeviceTestMeans.choices
    )
    device_test_path = forms.CharField(label="Path of the service for device tests", max_length=300, required=False)
    most_at_once = forms.IntegerField(label="Calls at once", min_value=1, max_value=64)
    most_a_second = forms.IntegerField(label="Calls a second", min_value=1, max_value=1000)

    def __init__(self, data: Mapping[str, Any] | None = None, *, draft: WritebackConfiguration) -> None:
        self._draft = draft
        super().__init__(data, initial=_initial(draft))
        for field, name in _PARAMETERS.items():
            self.fields[field] = forms.CharField(label=f"{_PARAMETER_LABELS[name]}", max_length=60)
        for field, role in _ID_TYPES.items():
            self.fields[field] = forms.CharField(label=role.capitalize(), max_length=20)
        if draft.basic_password:
            self.fields["basic_password"].help_text = "One is stored. Leave empty to keep it."

    @staticmethod
    def nested_names() -> dict[str, dict[str, str]]:
        """Return the entries of the service that hold several values: entry → name within it → field of this form."""
        pairs = {"parameters": _PARAMETERS, "external_id_types": _ID_TYPES}
        return {entry: {name: field for field, name in names.items()} for entry, names in pairs.items()}

    @property
    def parameter_fields(self) -> list[forms.BoundField]:
        """The names of the query parameters."""
        return [self[name] for name in _PARAMETERS]

    @property
    def id_type_fields(self) -> list[forms.BoundField]:
        """The code for the kind of id, by role."""
        return [self[name] for name in _ID_TYPES]

    def clean(self) -> dict[str, Any]:
        """Check the whole, and name the field that is missing or not usable."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        cleaned["connection_status"] = self._service(cleaned, field="path")
        device_test = {"path": cleaned["device_test_path"]} if cleaned["device_test_path"] else {}
        cleaned["device_test_service"] = device_test
        self._check_service(device_test, field="device_test_path")
        has_password = bool(cleaned["basic_password"] or self._draft.basic_password)
        for field, problem in drafts.check(cleaned, has_password=has_password).items():
            self.add_error(field, problem)
        return cleaned

    def _service(self, cleaned: Mapping[str, Any], *, field: str) -> dict[str, Any]:
        """Return the entries that differ from the defaults."""
        plain = ("path", "method", "connected", "disconnected", "vendor_name", "connected_from")
        wanted = {name: cleaned[name] for name in plain if cleaned[name] != getattr(_DEFAULTS, name)}
        for entry, names in (("parameters", _PARAMETERS), ("external_id_types", _ID_TYPES)):
            defaults: Mapping[str, str] = getattr(_DEFAULTS, entry)
            other = {name: cleaned[key] for key, name in names.items() if cleaned[key] != defaults[name]}
            wanted |= {entry: other} if other else {}
        self._check_service(wanted, field=field)
        return wanted

    def _check_service(self, wanted: Mapping[str, Any], *, field: str) -> None:
        try:
            ConnectionStatusSettings.from_json(wanted)
        except ConfigurationError:
            self.add_error(field, "Enter a path that begins with one /, such as /api/epic/2018/…")


def _initial(draft: WritebackConfiguration) -> dict[str, Any]:
    try:
        service = ConnectionStatusSettings.from_json(draft.endpoint.connection_status)
    except ConfigurationError:  # written by hand; the form shows what will be stored instead
        service = _DEFAULTS
    plain = {name: getattr(draft, name) for name in drafts.FIELDS if name != "device_test_service"}
    return {
        **plain,
        "device_test_path": draft.device_test_service.get("path", ""),
        "path": service.path,
        "method": service.method,
        "vendor_name": service.vendor_name,
        "connected": service.connected,
        "disconnected": service.disconnected,
        "connected_from": service.connected_from,
        **{field: service.parameters[name] for field, name in _PARAMETERS.items()},
        **{field: service.external_id_types[role] for field, role in _ID_TYPES.items()},
    }

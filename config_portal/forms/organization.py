"""Pages about an organization: what it says about itself, and asking for access."""

from typing import Any

import phonenumbers
from django import forms

from accounts.models import User
from config_portal.forms.fields import time_zones
from config_portal.models import Region
from config_portal.prerequisites import PREREQUISITES


def prerequisites_field(*, required: bool) -> forms.MultipleChoiceField:
    """Return the checklist."""
    return forms.MultipleChoiceField(
        choices=[(item.key, item.label) for item in PREREQUISITES],
        required=required,
        widget=forms.CheckboxSelectMultiple,
        label="Prerequisites",
        help_text="Tick what is in place; you can come back for the rest.",
    )


class OrganizationForm(forms.Form):
    """What an organization says about itself."""

    name = forms.CharField(max_length=120, label="Name", help_text="As patients know it; it stands in their texts.")
    country = forms.CharField(
        min_length=2, max_length=2, label="Country", help_text="Two letters, such as US: how local numbers are read."
    )
    time_zone = forms.ChoiceField(
        choices=time_zones, label="Time zone", help_text="Dates and times on these pages are in it."
    )
    help_phone = forms.CharField(
        max_length=20,
        label="Help line for patients",
        help_text="Shown on every page a patient sees.",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    epic_contact_name = forms.CharField(max_length=120, label="Epic technical contact")
    epic_contact_email = forms.EmailField(label="E-mail address of the contact")
    prerequisites = prerequisites_field(required=False)

    ABOUT = ("name", "country", "time_zone", "help_phone")
    CONTACT = ("epic_contact_name", "epic_contact_email")

    def clean_country(self) -> str:
        """Return the ISO 3166-1 code in capitals."""
        country = str(self.cleaned_data["country"]).upper()
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise forms.ValidationError("Enter the two letters of a country, such as US")
        return country

    def clean(self) -> dict[str, Any]:
        """Refuse a help line that nobody can call."""
        cleaned: dict[str, Any] = super().clean() or {}
        number, country = cleaned.get("help_phone"), cleaned.get("country")
        if number and country and not _is_phone(number, country):
            self.add_error("help_phone", "Enter a phone number with its area code, such as (608) 555-0110")
        return cleaned

    @property
    def about_fields(self) -> list[forms.BoundField]:
        """The organization itself."""
        return [self[name] for name in self.ABOUT]

    @property
    def contact_fields(self) -> list[forms.BoundField]:
        """Who builds in Epic."""
        return [self[name] for name in self.CONTACT]


class AccessForm(forms.Form):
    """What a hospital states when it asks for access."""

    name = forms.CharField(max_length=120, label="Organization name")
    tenant_id = forms.UUIDField(
        label="Entra tenant id", help_text="The tenant you signed in from.", widget=forms.TextInput()
    )
    region = forms.ChoiceField(
        choices=Region, label="Region", widget=forms.RadioSelect, help_text="Where the organization's data is kept."
    )
    epic_contact_name = forms.CharField(max_length=120, label="Epic technical contact")
    epic_contact_email = forms.EmailField(label="E-mail address of the contact")
    prerequisites = prerequisites_field(required=False)

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["tenant_id"].initial = user.entra_tenant_id


def _is_phone(text: str, country: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, country))
    except phonenumbers.NumberParseException:
        return False

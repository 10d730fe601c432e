"""Consents, and numbers to get."""

from typing import Any

from django import forms

from sms.models import PhoneNumber, SmsConsent, Supplier
from sms.services import consents
from sms.services.countries import CountryOffer

_SUPPLIERS = dict(Supplier.choices)
_KINDS = dict(PhoneNumber.Kind.choices)


class ConsentForm(forms.Form):
    """The two sentences, each with its box."""

    patients = forms.BooleanField(error_messages={"required": "Tick this box, or leave texts switched off"})
    processing = forms.BooleanField(error_messages={"required": "Tick this box, or leave texts switched off"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in SmsConsent.Kind.values:
            self.fields[kind].label = consents.WORDINGS[kind]


class NumberForm(forms.Form):
    """What number to get. Only what the organization's country offers can be chosen."""

    source = forms.ChoiceField(label="From whom", widget=forms.RadioSelect)
    area_code = forms.RegexField(
        r"^\d{3}$",
        label="Area code",
        required=False,
        help_text="Three digits, such as 608 for a local or 833 for a toll-free number. Empty: any.",
        error_messages={"invalid": "An area code has three digits"},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": "3", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, offers: list[CountryOffer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (f"{offer.supplier}:{kind}", f"{_KINDS[kind]} number from {_SUPPLIERS[offer.supplier]}")
            for offer in offers
            for kind in offer.kinds
        ]
        self.fields["source"] = forms.ChoiceField(
            label="Which number",
            widget=forms.RadioSelect,
            choices=choices,
            initial=choices[0][0] if choices else None,
            error_messages={"required": "Choose which number to get"},
        )

    @property
    def supplier(self) -> str:
        """The chosen supplier."""
        return str(self.cleaned_data["source"]).partition(":")[0]

    @property
    def kind(self) -> str:
        """The chosen kind."""
        return str(self.cleaned_data["source"]).partition(":")[2]


class VerificationForm(forms.Form):
    """How verification or registration by carriers stands, copied from the supplier's site."""

    state = forms.ChoiceField(
        label="What the supplier's site says",
        widget=forms.RadioSelect,
        choices=[choice for choice in PhoneNumber.Verification.choices if choice[0] != "not_needed"],
        error_messages={"required": "Choose what the site says"},
    )
    reason = forms.CharField(
        label="Why it was rejected", required=False, max_length=200, help_text="As carriers word it."
    )

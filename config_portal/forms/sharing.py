"""Inviting an affiliate to share a FHIR base URL."""

from django import forms


class InvitationForm(forms.Form):
    """Who the invitation is for."""

    affiliate = forms.CharField(
        max_length=120, label="Affiliate", help_text="The organization that shall use this FHIR base URL as well."
    )

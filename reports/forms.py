"""Forms of the visit pages."""

from django import forms


class ReasonForm(forms.Form):
    """Why a person does something that the audit trail keeps."""

    reason = forms.CharField(
        label="Reason",
        min_length=8,
        max_length=200,
        help_text="Kept in the audit trail. No names and no numbers of patients.",
        error_messages={
            "required": "Write the reason.",
            "min_length": "Write a few words more, so that others understand the reason.",
        },
    )

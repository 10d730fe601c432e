"""An organization's own words."""

from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse

from config_portal.models import Organization
from sms.linting import MOST_CHARACTERS
from sms.models import SmsMessage
from sms.services import previews, templates

LABELS = {
    SmsMessage.Kind.SCHEDULED: "When a visit is booked",
    SmsMessage.Kind.MOVED: "When it is moved",
    SmsMessage.Kind.CANCELLED: "When it is cancelled",
    SmsMessage.Kind.REMINDER: "Reminder",
}


class WordsForm(forms.Form):
    """The four texts in one language; an empty one stays ours, or English where we have none."""

    def __init__(self, *args: Any, organization: Organization, language: str, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization, self.language, self.now = organization, language, now
        for kind in templates.KINDS:
            self.fields[kind] = forms.CharField(
                label=LABELS[SmsMessage.Kind(kind)],
                required=False,
                max_length=MOST_CHARACTERS,
                widget=forms.Textarea(attrs=_attributes(kind, language)),
            )

    def clean(self) -> dict[str, Any]:
        """Refuse words that name somebody, tell why a visit is held, or cannot be sent as they are."""
        data: dict[str, Any] = super().clean() or {}
        given = {kind: body for kind, body in data.items() if body}
        for preview in previews.previews(self.organization, language=self.language, words=given, now=self.now):
            for finding in preview.findings:
                if finding.is_error:
                    self.add_error(preview.kind, finding.text)
        return data


def _attributes(kind: str, language: str) -> dict[str, Any]:
    """Return the attributes of a field: it asks for its preview while somebody types."""
    return {
        "rows": 4,
        "lang": language,
        "dir": "auto",
        "maxlength": MOST_CHARACTERS,
        "hx-post": reverse("sms_setup:preview", args=[language, kind]),
        "hx-trigger": "input changed delay:400ms",
        "hx-target": f"#preview-{kind}",
        "hx-sync": "this:replace",
    }


class LanguageForm(forms.Form):
    """A language to write texts in."""

    language = forms.ChoiceField(label="Language")

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"] = forms.ChoiceField(
            label="Another language", choices=templates.addable_languages(organization)
        )

"""What staff enter on the pages of the intake."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.files.uploadedfile import UploadedFile

from config_portal.forms.fields import LinesField
from config_portal.models import FhirEndpoint
from hl7intake.certificates import MAX_BYTES
from hl7intake.models import RawRetention, SenderSettings, SenderWatch
from hl7intake.rules import SESSION_ID_PLACES
from hl7intake.services.browsing import OUTCOMES, MessageFilter
from hl7intake.services.interface import LABELS
from hl7intake.statuses import Status
from hl7intake.timing import START_PLACES
from hl7intake.validation import MAX_CHARACTERS

# What a browser's date-and-time field sends, with and without seconds.
_MOMENT_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
CHARSETS = [
    ("cp1252", "Windows-1252, Western Europe"),
    ("cp1250", "Windows-1250, Central Europe"),
    ("cp1251", "Windows-1251, Cyrillic"),
    ("cp1253", "Windows-1253, Greek"),
    ("cp1254", "Windows-1254, Turkish"),
    ("iso8859-15", "ISO 8859-15, Western Europe with the euro"),
    ("cp850", "DOS 850, Western Europe"),
]
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT_FORMATS[0])


class CertificateForm(forms.Form):
    """A certificate, as a file or pasted."""

    certificate = forms.FileField(
        label="Certificate file",
        required=False,
        help_text="The public certificate alone (.cer, .crt or .pem), without its private key. At most 16 KB.",
        widget=forms.ClearableFileInput(attrs={"accept": ".cer,.crt,.pem,.der,.txt"}),
    )
    text = forms.CharField(
        label="Or paste it",
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        help_text="From -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, or the base64 text alone.",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        given: dict[str, Any] = super().clean() or {}
        is_pasted = bool((given.get("text") or "").strip())
        if not self.errors and bool(given.get("certificate")) == is_pasted:
            # An empty file counts as none: Django has said so already.
            self.add_error(
                "certificate",
                "Choose a file or paste the certificate, not both." if is_pasted else "Choose the certificate file.",
            )
        return given

    @property
    def data_given(self) -> bytes:
        """What was given, one byte more than is allowed at most."""
        file: UploadedFile[bytes] | None = self.cleaned_data.get("certificate")
        return file.read(MAX_BYTES + 1) if file else str(self.cleaned_data["text"]).encode()


class MessageFilterForm(forms.Form):
    """Which messages to look for; everything is optional."""

    outcome = forms.ChoiceField(label="Outcome", required=False, choices=[("", "Every outcome"), *OUTCOMES.items()])
    endpoint = forms.ChoiceField(label="Connection", required=False)
    visit = forms.CharField(label="Visit id", required=False, max_length=64)
    control_id = forms.CharField(label="Control id", required=False, max_length=199)
    since = forms.DateTimeField(label="From", required=False, widget=_MOMENT, input_formats=_MOMENT_FORMATS)
    until = forms.DateTimeField(label="To", required=False, widget=_MOMENT, input_formats=_MOMENT_FORMATS)

    def __init__(self, *args: Any, endpoints: list[FhirEndpoint], time_zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._zone = ZoneInfo(time_zone)
        choices = [("", "All"), *((str(endpoint.pk), endpoint.name) for endpoint in endpoints)]
        self.fields["endpoint"].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> MessageFilter:
        """Return the filter; parts that cannot be read look for nothing in particular."""
        self.is_valid()
        given = self.cleaned_data
        return MessageFilter(
            outcome=given.get("outcome") or "",
            endpoint_id=UUID(given["endpoint"]) if given.get("endpoint") else None,
            visit=given.get("visit") or "",
            control_id=given.get("control_id") or "",
            since=self._local(given.get("since")),
            until=self._local(given.get("until")),
        )

    def _local(self, moment: datetime | None) -> datetime | None:
        """Return what was entered as a time of the organization's zone."""
        return moment.replace(tzinfo=self._zone) if moment else None


class ReasonForm(forms.Form):
    """Why somebody needs to see the text of a message."""

    reason = forms.CharField(
        label="Why do you need to see it?",
        min_length=5,
        max_length=200,
        help_text="For example the number of the ticket you work on. It is written to the audit trail with your name.",
        error_messages={"required": "Say why you need to see it."},
    )


class CheckForm(forms.Form):
    """A message to be explained; nothing of it is kept."""

    endpoint = forms.ChoiceField(label="By the rules of")
    text = forms.CharField(
        label="Message",
        strip=False,
        max_length=MAX_CHARACTERS,
        help_text=f"One HL7 message, at most {MAX_CHARACTERS:,} characters. Nothing of it is stored or logged.",
        error_messages={
            "required": "Paste a message.",
            "max_length": f"The message is longer than {MAX_CHARACTERS:,} characters. Leave out what is not needed.",
        },
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocomplete": "off", "class": "code"}),
    )

    def __init__(self, *args: Any, endpoints: list[FhirEndpoint], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(endpoint.pk), endpoint.name) for endpoint in endpoints]
        self.fields["endpoint"].choices = choices  # type: ignore[attr-defined]


class WatchForm(forms.Form):
    """After how long a silence somebody is told."""

    hours = forms.IntegerField(label="Tell after", min_value=0, max_value=SenderWatch.LONGEST_HOURS)


class StatusMapField(forms.CharField):
    """What a sender writes into SCH-25 and what that means, one a line: ``5 = Cancelled``."""

    def prepare_value(self, value: Any) -> Any:
        """Write a stored map with one status a line."""
        return "\n".join(f"{text} = {meaning}" for text, meaning in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        """Return the map.

        :raises ValidationError: for a line without a meaning.
        """
        lines = [line for line in (super().to_python(value) or "").splitlines() if line.strip()]
        pairs = [(text.strip(), meaning.strip()) for text, _, meaning in (line.partition("=") for line in lines)]
        if wrong := [line for line, (text, meaning) in zip(lines, pairs, strict=True) if not (text and meaning)]:
            raise forms.ValidationError(f"“{wrong[0].strip()[:20]}” is not written as 5 = Cancelled")
        return {text: meaning.capitalize() for text, meaning in pairs}


class InterfaceForm(forms.ModelForm[SenderSettings]):
    """How one Epic's interface writes what the standard leaves open."""

    start_places = LinesField(
        label=LABELS["start_places"],
        required=False,
        longest=8,
        most=len(START_PLACES),
        help_text=f"Most trusted first, one a line; others are not looked at. Empty: {', '.join(START_PLACES)}.",
    )
    session_id_places = LinesField(
        label=LABELS["session_id_places"],
        required=False,
        longest=8,
        most=len(SESSION_ID_PLACES),
        help_text=f"Most trusted first, one a line; others are not looked at. Empty: {', '.join(SESSION_ID_PLACES)}.",
    )
    status_map = StatusMapField(
        label=LABELS["status_map"],
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=f"One a line, such as 5 = Cancelled. The meanings are {', '.join(Status)}.",
    )
    fallback_charset = forms.ChoiceField(
        label=LABELS["fallback_charset"],
        choices=CHARSETS,
        help_text="For bytes that are neither as MSH-18 says nor UTF-8.",
    )

    class Meta:
        model = SenderSettings
        fields = ("start_places", "session_id_places", "status_map", "fallback_charset")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.fallback_charset
        if stored not in dict(CHARSETS):  # a configuration file may name any other
            self.fields["fallback_charset"].choices = [*CHARSETS, (stored, stored)]  # type: ignore[attr-defined]


class RetentionForm(forms.Form):
    """Whether the text of rejected messages is kept for a while."""

    hours = forms.IntegerField(
        label="Hours to keep the text of rejected messages",
        min_value=0,
        max_value=RawRetention.LONGEST_HOURS,
        help_text=(
            "0 keeps nothing, which is how it begins; 72 at most. The text holds names and record numbers of "
            "patients. It is encrypted, and every look at it is written to the audit trail."
        ),
    )

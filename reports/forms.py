"""Forms of the visit pages and of the reports."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import validate_email

from config_portal.models import FhirEndpoint, Organization
from reports.models import Calendar, ReportSettings, SavedView
from reports.services import call_quality
from reports.services.asked import CUSTOM, LONGEST_DAYS, RANGES, USUAL_DAYS, Asked, period_of, understand
from reports.services.figures import By, values_of
from reports.services.saved_views import MOST_RECIPIENTS


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


class SettingsForm(forms.ModelForm[ReportSettings]):
    """What an organization chooses for its reports."""

    class Meta:
        model = ReportSettings
        fields = ("monthly_allocation", "smallest_shown")
        labels = {"monthly_allocation": "Monthly allocation", "smallest_shown": "Smallest count that is shown"}
        help_texts = {
            "monthly_allocation": "How many completed production visits a month your Microsoft licences cover. "
            "Empty: no limit.",
            "smallest_shown": "Report readers see smaller counts only as small, and no single visits, so that nobody "
            "is recognised. 0 shows everything.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.instance.thresholds
        for name, usual in call_quality.published().items():
            self.fields[f"threshold_{name}"] = forms.FloatField(
                label=THRESHOLDS[name],
                required=False,
                min_value=0,
                initial=chosen.get(name),
                help_text=f"Microsoft: {usual:g}",
            )

    def clean(self) -> dict[str, Any]:
        """Gather the thresholds that differ from Microsoft's."""
        data = super().clean() or {}
        usual = call_quality.published()
        given = {name: data.pop(f"threshold_{name}", None) for name in usual}
        data["thresholds"] = {
            name: value for name, value in given.items() if value is not None and value != usual[name]
        }
        return data


def _date(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


THRESHOLDS = {
    "jitter_ms": "Audio: jitter (ms)",
    "round_trip_ms": "Audio: round trip (ms)",
    "packet_loss": "Audio: packet loss (0 to 1)",
    "concealed_ratio": "Audio: concealed samples (0 to 1)",
    "audio_degradation": "Audio: degradation",
    "video_frame_loss": "Video: frames lost (%)",
    "video_frame_rate": "Video: lowest frame rate",
    "video_post_fec_loss": "Video: loss after error correction (0 to 1)",
    "screen_frame_loss": "Shared screen: frames lost (%)",
    "screen_frame_rate": "Shared screen: lowest frame rate",
    "screen_post_fec_loss": "Shared screen: loss after error correction (0 to 1)",
}


class SaveViewForm(forms.ModelForm[SavedView]):
    """A name for a report with everything chosen on it."""

    class Meta:
        model = SavedView
        fields = ("name", "is_shared", "tab", "query")
        labels = {"is_shared": "Share it"}
        help_texts = {"name": "One of your own of this name is replaced."}
        widgets = {"tab": forms.HiddenInput, "query": forms.HiddenInput}


class ScheduleForm(forms.Form):
    """How often a view is sent, and to whom."""

    cadence = forms.ChoiceField(label="Send it", required=False, choices=SavedView.Cadence.choices)
    recipients = forms.CharField(
        label="To",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=f"E-mail addresses of staff, one a line, up to {MOST_RECIPIENTS}.",
    )

    def clean_recipients(self) -> list[str]:
        """Return the addresses, each once."""
        listed = list(dict.fromkeys(self.cleaned_data["recipients"].split()))
        if len(listed) > MOST_RECIPIENTS:
            raise forms.ValidationError(f"At most {MOST_RECIPIENTS} addresses.")
        for address in listed:
            validate_email(address)
        return listed

    def clean(self) -> dict[str, Any]:
        """Refuse to send to nobody."""
        data = super().clean() or {}
        if data.get("cadence") and not data.get("recipients") and "recipients" not in self.errors:
            self.add_error("recipients", "Write at least one address.")
        return data


class AskForm(forms.Form):
    """Which visits a report is about; everything stands in the address, so it can be kept and passed on.

    What cannot be understood is left out and shown as a problem; the report is then of the usual period.
    """

    days = forms.ChoiceField(
        label="Period",
        required=False,
        choices=[*((str(days), f"Last {days} days") for days in RANGES), (CUSTOM, "Custom range")],
    )
    since = _date("From")
    until = _date("To")
    calendar = forms.ChoiceField(label="Days and times in", required=False)
    endpoint = forms.ChoiceField(label="FHIR endpoint", required=False)
    department = forms.ChoiceField(label="Department", required=False)
    visit_type = forms.ChoiceField(label="Visit type", required=False)
    status = forms.ChoiceField(label="Status", required=False)
    provider = forms.CharField(label="Provider (Epic's id)", required=False, max_length=60)

    def __init__(
        self,
        given: Mapping[str, Any],
        *,
        organization: Organization,
        statuses: Iterable[tuple[str, str]],
        now: datetime,
    ) -> None:
        super().__init__({"days": str(USUAL_DAYS), "calendar": Calendar.LOCAL, **{name: given[name] for name in given}})
        self.organization, self.now = organization, now
        self._offer("calendar", [(Calendar.LOCAL.value, organization.time_zone), (Calendar.UTC.value, "UTC")])
        endpoints = FhirEndpoint.objects.for_organization(organization).order_by("name")
        self._offer("endpoint", [("", "All"), *((str(one.pk), one.name) for one in endpoints)])
        self._offer("status", [("", "All"), *statuses])
        for name, by in (("department", By.DEPARTMENT), ("visit_type", By.VISIT_TYPE)):
            values = {*values_of(self._bare(), by), given.get(name, "")} - {""}
            self._offer(name, [("", "All"), *((value, value) for value in sorted(values))])

    def clean(self) -> dict[str, Any]:
        """Refuse a custom range that is incomplete, upside down or too long."""
        data = super().clean() or {}
        if data.get("days") == CUSTOM and not self.errors:
            since, until = data.get("since"), data.get("until")
            if since is None or until is None:
                self.add_error("since" if since is None else "until", "A custom range needs both days.")
            elif until < since:
                self.add_error("until", "The last day is before the first.")
            elif (until - since).days >= LONGEST_DAYS:
                self.add_error("until", f"Choose at most {LONGEST_DAYS} days.")
        return data

    def asked(self) -> Asked:
        """Return what is asked for; a field with a problem is left out."""
        self.is_valid()
        given = {name: str(self.data.get(name, "")) for name in self.fields if name not in self.errors}
        return understand(given, self.organization, now=self.now)

    def _bare(self) -> Asked:
        return Asked(organization=self.organization, period=period_of(self.data, self.organization, now=self.now))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

"""What to show on the Messages page, and why a text is sent again."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from config_portal.models import FhirEndpoint, Organization
from sms.models import InboundText, SmsMessage
from sms.services.drafts import SHARES
from sms.services.truth import OUTCOMES, Asked

AHEAD = "ahead"
PERIODS = [
    ("1", "Today"),
    ("7", "Last 7 days"),
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
    (AHEAD, "Coming 7 days"),
]


class FilterForm(forms.Form):
    """Which texts. Nonsense in the address shows the usual ones instead of an error."""

    days = forms.ChoiceField(label="Period", choices=PERIODS, required=False)
    endpoint = forms.ChoiceField(label="Connection", required=False)
    kind = forms.ChoiceField(label="Kind", choices=[("", "All kinds"), *SmsMessage.Kind.choices], required=False)
    outcome = forms.ChoiceField(
        choices=[("", ""), *((name, name) for name in OUTCOMES)], required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        endpoints = FhirEndpoint.objects.for_organization(organization)
        choices = [("", "All connections"), *((str(endpoint.pk), endpoint.name) for endpoint in endpoints)]
        self.fields["endpoint"] = forms.ChoiceField(label="Connection", choices=choices, required=False)

    def asked(self, *, now: datetime) -> Asked:
        """Return what was asked for: whole days in the organization's zone, today's to its end; or what comes."""
        data = self.cleaned_data if self.is_valid() else {}
        since, until = self._period(str(data.get("days") or "1"), now=now)
        return Asked(
            since=since,
            until=until,
            outcome=data.get("outcome", ""),
            endpoint_id=UUID(data["endpoint"]) if data.get("endpoint") else None,
            kind=data.get("kind", ""),
        )

    def _period(self, days: str, *, now: datetime) -> tuple[datetime, datetime]:
        if days == AHEAD:
            return now, now + timedelta(days=7)
        zone = ZoneInfo(self.organization.time_zone)
        today = now.astimezone(zone).date()
        first = today - timedelta(days=int(days) - 1)
        return datetime.combine(first, time(), zone), datetime.combine(today + timedelta(days=1), time(), zone)


class ResendForm(forms.Form):
    """Why a text is sent again; kept with it and in the audit trail."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        help_text="Without names or numbers, such as: patient called, text was deleted.",
        error_messages={"required": "Say why it is sent again"},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ShareForm(forms.Form):
    """The share of visits that is texted about."""

    percent = forms.TypedChoiceField(
        label="Share of visits", choices=[(share, f"{share}%") for share in SHARES], coerce=int
    )


class HandleReplyForm(forms.Form):
    """What a person did about a reply that was not understood."""

    how = forms.ChoiceField(choices=InboundText.Handling.choices)

"""Forms of the visit pages and of the reports."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django import forms

from config_portal.models import FhirEndpoint, Organization
from reports.models import Calendar, ReportSettings
from reports.services.asked import LONGEST_DAYS, Asked, Period, recent
from reports.services.figures import By, values_of


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


RANGES = (7, 30, 90)
USUAL = "30"
CUSTOM = "custom"


def _date(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


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
        super().__init__({"days": USUAL, "calendar": Calendar.LOCAL, **{name: given[name] for name in given}})
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
        """Return what is asked for."""
        self.is_valid()
        given = self.cleaned_data
        endpoint = given.get("endpoint")
        return replace(
            self._bare(),
            endpoint_id=UUID(endpoint) if endpoint else None,
            department=given.get("department", ""),
            visit_type=given.get("visit_type", ""),
            status=given.get("status", ""),
            provider=given.get("provider", "").strip(),
        )

    def _bare(self) -> Asked:
        return Asked(organization=self.organization, period=_period(self.data, self.organization, now=self.now))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


def _period(given: Mapping[str, Any], organization: Organization, *, now: datetime) -> Period:
    """Return the period that ``given`` names, the usual one where it names none that can be shown."""
    calendar = Calendar.UTC if given.get("calendar") == Calendar.UTC else Calendar.LOCAL
    days = given.get("days", "")
    if days == CUSTOM:
        since, until = _day(given.get("since")), _day(given.get("until"))
        if since and until and 0 <= (until - since).days < LONGEST_DAYS:
            return Period(first=since, last=until, calendar=calendar)
    usual = int(days) if days in {str(offered) for offered in RANGES} else int(USUAL)
    return recent(organization, days=usual, now=now, calendar=calendar)


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text or ""))
    except ValueError:
        return None

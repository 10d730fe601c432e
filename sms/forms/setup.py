"""What is texted for one Epic connection."""

from typing import Any, cast

from django import forms

from config_portal.models import Organization
from sms.models import PhoneNumber, SmsConfiguration
from sms.presenters import words
from sms.services import drafts

MOST_REMINDERS = 8
MOST_MINUTES = 30 * 24 * 60
LEAST_MINUTES = 10
UNITS = [("1", "minutes"), ("60", "hours"), ("1440", "days")]


class NumberChoice(forms.ModelChoiceField[PhoneNumber]):
    """A number of the organization, with what stands in its way."""

    def label_from_instance(self, obj: PhoneNumber) -> str:
        """Return the number, its supplier and whether carriers let it through."""
        blocked = ", not approved by carriers yet" if obj.is_blocked_by_carriers else ""
        return f"{words.number(obj.number)} ({obj.get_supplier_display()}{blocked})"


class SetupForm(forms.ModelForm[SmsConfiguration]):
    """Number, confirmations, quiet hours and limits; reminders are a formset beside it."""

    number = NumberChoice(
        queryset=PhoneNumber.objects.none(),
        label="Text from",
        required=False,
        empty_label="No number: nothing is texted",
    )
    failover_number = NumberChoice(
        queryset=PhoneNumber.objects.none(),
        label="Second number",
        required=False,
        empty_label="None",
        help_text="Of another supplier. Takes over when the first cannot send or does not deliver.",
    )
    is_blocked_accepted = forms.BooleanField(
        label="I know that carriers drop texts from this number until they have verified it.", required=False
    )
    is_stop_accepted = forms.BooleanField(
        label="I know that patients of this connection get no texts once this is approved.", required=False
    )

    class Meta:
        model = SmsConfiguration
        fields = (
            "number", "failover_number", "confirms_scheduled", "confirms_moved", "confirms_cancelled",
            "quiet_from", "quiet_until", "visit_cap", "organization_cap",
        )  # fmt: skip
        labels = {
            "confirms_scheduled": "When a visit is booked",
            "confirms_moved": "When it is moved to another time",
            "confirms_cancelled": "When it is cancelled",
            "quiet_from": "Quiet from",
            "quiet_until": "Quiet until",
            "visit_cap": "Most texts about one visit in 24 hours",
            "organization_cap": "Most texts of the whole organization in 24 hours",
        }
        help_texts = {
            "confirms_cancelled": "Sent only to patients who were told of the visit before.",
            "quiet_from": "",
            "quiet_until": "",
            "visit_cap": "Stops a loop of changes in Epic from becoming a flood of texts.",
            "organization_cap": "More wait until the next day, and you are alarmed.",
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, organization: Organization, runs: bool, **kwargs: Any) -> None:
        """Offer the organization's numbers; ``runs`` tells whether texts are approved and going out now."""
        super().__init__(*args, **kwargs)
        self.runs = runs
        self.has_reminders = True
        held = PhoneNumber.objects.for_organization(organization).held().order_by("created_at")
        for name in ("number", "failover_number"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
            field.queryset = held
        self.fields["visit_cap"].widget.attrs["min"] = 1
        self.fields["organization_cap"].widget.attrs["min"] = 1

    def clean(self) -> dict[str, Any]:
        """Check what goes together, and ask before something stops or cannot arrive."""
        data: dict[str, Any] = super().clean() or {}
        for field, problem in drafts.contradictions(data).items():
            self.add_error(field, problem)
        number = data.get("number")
        if number and number.is_blocked_by_carriers and not data.get("is_blocked_accepted"):
            self.add_error("is_blocked_accepted", "Confirm this, or choose a verified number")
        if self.runs and self.is_silent(data) and not data.get("is_stop_accepted"):
            self.add_error("is_stop_accepted", "Confirm that texts stop, or choose what is texted")
        return data

    def is_silent(self, data: dict[str, Any]) -> bool:
        """Return whether nothing would be texted with these choices."""
        confirms = any(data.get(name) for name in ("confirms_scheduled", "confirms_moved", "confirms_cancelled"))
        return data.get("number") is None or not (confirms or self.has_reminders)


class ReminderForm(forms.Form):
    """One reminder: how long before the visit."""

    amount = forms.IntegerField(label="How long before", min_value=1, max_value=MOST_MINUTES, required=False)
    unit = forms.ChoiceField(label="Unit", choices=UNITS, initial="60")

    def clean(self) -> dict[str, Any]:
        """Put the interval into minutes and keep it within reason."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("amount"):
            data["minutes"] = data["amount"] * int(data.get("unit") or 1)
            if not LEAST_MINUTES <= data["minutes"] <= MOST_MINUTES:
                self.add_error("amount", f"Choose between {LEAST_MINUTES} minutes and 30 days")
        return data


class BaseReminders(forms.BaseFormSet[ReminderForm]):
    """All reminders of a connection; rows left empty or ticked to go are dropped, repetitions too."""

    @property
    def minutes(self) -> list[int]:
        """The intervals in minutes, longest first."""
        kept = [form.cleaned_data for form in self.forms if not form.cleaned_data.get("DELETE")]
        return sorted({data["minutes"] for data in kept if data.get("minutes")}, reverse=True)


ReminderFormSet = cast(
    "type[BaseReminders]",
    forms.formset_factory(
        ReminderForm,
        formset=BaseReminders,
        extra=1,
        can_delete=True,
        max_num=MOST_REMINDERS,
        validate_max=True,
        absolute_max=MOST_REMINDERS + 4,
    ),
)


def reminder_rows(minutes: list[int]) -> list[dict[str, Any]]:
    """Return intervals as the formset takes them: amount and unit."""
    rows = []
    for each in sorted(minutes, reverse=True):
        size = next(size for size in (1440, 60, 1) if each % size == 0)
        rows.append({"amount": each // size, "unit": str(size)})
    return rows

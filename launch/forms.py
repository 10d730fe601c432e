"""What patients' pages send: results of the device test, and the answer to the one question."""

from typing import Any

from django import forms

from launch.cookies import APP, BROWSER
from launch.models import DeviceTest, Invitation

# Bounds far beyond what any device reaches; what lies outside is no measurement.
_MEASURES = {
    "rtt_ms": 60_000,
    "down_kbps": 10_000_000,
    "up_kbps": 10_000_000,
    "frames_per_second": 1_000,
    "frame_width": 20_000,
    "packets_lost": 1_000_000,
    "jitter_ms": 60_000,
}


class DeviceTestForm(forms.Form):
    """A whole device test: a result for every check, and what was measured."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in DeviceTest.CHECKS:
            self.fields[name] = forms.ChoiceField(choices=DeviceTest.Result.choices)
        for name, most in _MEASURES.items():
            self.fields[name] = forms.FloatField(min_value=0, max_value=most, required=False)

    @property
    def results(self) -> dict[str, str]:
        """The result of every check, by its name."""
        return {name: self.cleaned_data[name] for name in DeviceTest.CHECKS}

    @property
    def measures(self) -> dict[str, float]:
        """What was measured, rounded to tenths."""
        given = {name: self.cleaned_data[name] for name in _MEASURES}
        return {name: round(value, 1) for name, value in given.items() if value is not None}


class InvitationForm(forms.Form):
    """As what somebody is invited."""

    role = forms.ChoiceField(choices=Invitation.Role.choices)


class RevocationForm(forms.Form):
    """Which invitation is taken back."""

    invitation = forms.UUIDField()


class JoinForm(forms.Form):
    """In what a clinician wants Teams to open."""

    opens_in = forms.ChoiceField(choices=[(APP, "app"), (BROWSER, "browser")])


class RatingForm(forms.Form):
    """The answer to the one question, whether picture and sound worked well."""

    answer = forms.ChoiceField(choices=[("good", "good"), ("bad", "bad")])

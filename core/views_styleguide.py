"""The style guide: every component on one page, for those who build and review screens."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from core.access import access
from core.page import EnvironmentBand

TONES = ("ok", "warn", "bad", "info", "neutral")
KINDS = ("primary", "secondary", "subtle", "danger")


class SampleForm(forms.Form):
    """One field of every sort."""

    name = forms.CharField(label="Organization name", help_text="As patients know it, at most 40 characters.")
    address = forms.URLField(
        label="FHIR base URL", assume_scheme="https", error_messages={"required": "Enter the FHIR base URL of Epic."}
    )
    environment = forms.ChoiceField(
        label="Environment", widget=forms.RadioSelect, choices=[("test", "Test"), ("production", "Production")]
    )
    language = forms.ChoiceField(label="Language", choices=[("en", "English"), ("es", "Español")])
    reminders = forms.MultipleChoiceField(
        label="Reminders",
        widget=forms.CheckboxSelectMultiple,
        choices=[("1d", "1 day before"), ("2h", "2 hours before"), ("10m", "10 minutes before")],
    )
    note = forms.CharField(label="Note to the approver", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    certificate = forms.FileField(label="Sender certificate", required=False)
    consent = forms.BooleanField(
        label="Patients have agreed to get text messages about their visits.",
        error_messages={"required": "Confirm that patients have agreed to text messages."},
    )


@access("operator")
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component with made-up content; superusers only."""
    user = getattr(request, "user", None)
    if user is None or not user.is_superuser:
        raise PermissionDenied
    request.environment_band = EnvironmentBand(  # type: ignore[attr-defined]  # read by core.page
        environment="test", name="lamna-test", detail="fhir.lamna.example.org/api/FHIR/R4"
    )
    return render(request, "core/styleguide.html", _content(timezone.now()))


def _content(now: datetime) -> dict[str, Any]:
    return {
        "tones": TONES,
        "kinds": KINDS,
        "form_empty": SampleForm(prefix="empty"),
        "form_refused": SampleForm({"refused-name": "Lamna Healthcare"}, prefix="refused"),
        "crumbs": [("Visits", "#"), ("Today", "")],
        "tabs": [("Virtual appointments", "#", True), ("Duration", "#", False), ("SMS", "#", False)],
        "entered_lobby_at": now - timedelta(minutes=4, seconds=12),
        "starts_at": datetime(2026, 11, 24, 20, 0, tzinfo=UTC),
        "timeline": _timeline(),
        "tasks": _tasks(),
        "definitions": [
            ("Organization", "Lamna Healthcare"),
            ("Epic version", "May 2026"),
            {"label": "Token endpoint", "value": "https://fhir.lamna.example.org/oauth2/token", "copy": True},
        ],
    }


def _entry(time_text: str, tone: str, title: str, detail: str, *outcomes: str) -> dict[str, str]:
    outcome, outcome_tone = (*outcomes, "", "")[:2]
    return {
        "time_text": time_text,
        "tone": tone,
        "title": title,
        "detail": detail,
        "outcome": outcome,
        "outcome_tone": outcome_tone or tone,
    }


def _timeline() -> list[dict[str, str]]:
    return [
        _entry("Nov 14 10:30", "ok", "Appointment received", "from Epic, message 700000101", "Accepted"),
        _entry("10:30:01", "ok", "Confirmation text", "to number ending 77", "Delivered in 3 s"),
        _entry("Nov 23 14:00", "bad", "Reminder", "1 day before", "Not delivered: number not in service"),
        _entry(
            "Nov 24 13:41", "info", "Link opened", "device check skipped: passed yesterday", "iPhone, Safari", "neutral"
        ),
        _entry("13:55:48", "warn", "Patient entered the lobby", "· provider not joined yet", "Waiting 4 min"),
        _entry("13:55:49", "ok", "Epic told", "patient connected", "Accepted in 210 ms"),
        _entry("next", "next", "Provider admits the patient", ""),
    ]


def _task(title: str, detail: str, state: str, status: str, *action: str, tone: str = "") -> dict[str, str]:
    label, kind = (*action, "", "")[:2]
    return {
        "title": title,
        "detail": detail,
        "state": state,
        "status": status,
        "status_tone": tone,
        "action_label": label,
        "action_kind": kind,
        "action_url": "#",
    }


def _tasks() -> list[dict[str, str]]:
    missing = "15 of 16 passed. The Teams access policy is missing: your Teams admin runs two commands"
    return [
        _task("Organization and prerequisites", "Authorized for testing on Nov 18", "done", "Done", "View"),
        _task("Keys", "Epic picked up the public keys on Nov 19, 14 hours after publication", "done", "Done", "View"),
        _task(
            "FHIR base URLs and approver",
            "1 test, 1 production · dana.ortiz@lamna.example.org",
            "done",
            "Done",
            "Change",
        ),
        _task("Pre-flight check", missing, "current", "Needs you", "Show the commands", "primary", tone="warn"),
        _task("Approve", "Since Tuesday, 2 days", "waiting", "Waiting for Dana", "Send a reminder", tone="info"),
        _task("Review and finish", "Integration records appear here after approval", "todo", "Cannot start yet"),
    ]

"""The page on which the Microsoft 365 tenant is set up."""

import re
from datetime import date
from typing import Any

from django import forms

from config_portal.models import LobbyScope, MeetingChat, OrganizerMode, Presenters

_GUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
_NOT_A_GUID = {"invalid": "Enter an id such as 1f2e3d4c-0000-4000-8000-000000000000"}


class TenantForm(forms.Form):
    """Application, organizer and options: a draft until approved."""

    client_id = forms.UUIDField(
        label="Application (client) id",
        help_text="In the Entra admin center under App registrations, on the application's Overview.",
        error_messages=_NOT_A_GUID,
    )
    organizer_mode = forms.ChoiceField(choices=OrganizerMode, widget=forms.RadioSelect, label="Who organizes")
    organizer_object_id = forms.UUIDField(
        label="Organizer's object id",
        help_text="Of the service account; it also organizes when no provider is known yet.",
        error_messages=_NOT_A_GUID,
    )
    lobby_scope = forms.ChoiceField(choices=LobbyScope, widget=forms.RadioSelect, label="Lobby")
    allowed_presenters = forms.ChoiceField(
        choices=Presenters, widget=forms.RadioSelect, label="Who may present and admit"
    )
    meeting_chat = forms.ChoiceField(choices=MeetingChat, widget=forms.RadioSelect, label="Chat")

    @property
    def option_fields(self) -> list[forms.BoundField]:
        """How meetings behave."""
        return [self[name] for name in ("lobby_scope", "allowed_presenters", "meeting_chat")]

    @property
    def account_fields(self) -> list[forms.BoundField]:
        """Which application and account act."""
        return [self[name] for name in ("client_id", "organizer_mode", "organizer_object_id")]


class SecretForm(forms.Form):
    """A client secret, for those who cannot use a certificate."""

    secret = forms.CharField(
        max_length=400,
        label="Client secret",
        help_text="Its value, which Entra shows only once. It is tried, then kept encrypted and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    expires_on = forms.DateField(
        label="Last day", help_text="As Entra shows it under Expires.", widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today

    def clean_secret(self) -> str:
        """Refuse what is often pasted instead of the secret's value."""
        secret = str(self.cleaned_data["secret"]).strip()
        if _GUID.match(secret):
            raise forms.ValidationError("This is the secret's id. Enter its value, which Entra showed when it was made")
        if "PRIVATE KEY" in secret or "BEGIN CERTIFICATE" in secret:
            raise forms.ValidationError("This is a certificate or private key. Make a certificate above instead")
        return secret

    def clean_expires_on(self) -> date:
        """Refuse a secret that is no longer valid."""
        expires_on: date = self.cleaned_data["expires_on"]
        if expires_on < self.today:
            raise forms.ValidationError("This day is over: the secret has expired")
        return expires_on

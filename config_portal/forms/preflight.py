"""What a person may paste before a pre-flight check; apps say what they can use."""

from typing import Any

from django import forms

from config_portal import doctor
from core.errors import ConfigurationError


class InputsForm(forms.Form):
    """One optional field for each input that a registered line needs."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for known in doctor.inputs():
            self.fields[known.name] = forms.CharField(
                required=False,
                max_length=known.longest,
                label=known.label,
                help_text=known.help,
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )

    def clean(self) -> dict[str, Any]:
        """Let each app bring its input to the form its line expects."""
        cleaned: dict[str, Any] = super().clean() or {}
        for known in doctor.inputs():
            text = str(cleaned.get(known.name) or "").strip()
            try:
                cleaned[known.name] = known.clean(text) if text else ""
            except ConfigurationError as error:
                self.add_error(known.name, error.user_message)
        return cleaned

"""The form of the setup page of context-aware links."""

from typing import Any

from django import forms

from core.errors import ConfigurationError
from epic.context_link import IvPlace, KeyForm, derive_key
from launch.models import ContextLink
from launch.services.link_drafts import FIELDS

KEY_FORMS = {
    KeyForm.BASE64_32: "AES-256: 32 bytes in Base64 (Epic of August 2019 and later)",
    KeyForm.SHA1_TEXT: "AES-128: from any text, by SHA-1",
    KeyForm.RAW_16: "AES-128: 16 characters as they stand",
    KeyForm.CRYPT_DERIVE_KEY: "AES-128: from any text, by Windows' CryptDeriveKey",
}
IV_PLACES = {
    IvPlace.PREPENDED: "In front of the encrypted text",
    IvPlace.ZERO: "None: sixteen zero bytes",
}
_DAY_SECONDS = 86_400


class ContextLinkForm(forms.Form):
    """Whether links open visits, and how they are encrypted; ``draft`` is what is stored."""

    is_enabled = forms.BooleanField(
        label="Visits may be opened by context-aware links",
        help_text="Whoever holds the shared key can write such a link. SMART launch proves more: use it where you can.",
        required=False,
    )
    parameter = forms.SlugField(
        label="Parameter", max_length=40, help_text="Name of the parameter that carries the encrypted text."
    )
    key_form = forms.ChoiceField(choices=[(form.value, text) for form, text in KEY_FORMS.items()], label="Shared key")
    key = forms.CharField(
        label="The key",
        help_text="As it is typed into Epic. Kept encrypted, acts at once, and is never shown again.",
        max_length=200,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    iv = forms.ChoiceField(
        choices=[(place.value, text) for place, text in IV_PLACES.items()], label="Initialization vector"
    )
    longest_age_seconds = forms.IntegerField(
        label="Longest age, in seconds",
        help_text="By the link's own ts. 0 only for links without ts: a link that leaks can then be used later.",
        min_value=0,
        max_value=_DAY_SECONDS,
    )

    def __init__(self, data: Any = None, *, draft: ContextLink) -> None:
        super().__init__(data, initial={name: getattr(draft, name) for name in FIELDS})
        self._draft = draft
        if draft.key:
            self.fields["key"].help_text = "One is stored. Type another only to replace it; it acts at once."

    def clean(self) -> dict[str, Any]:
        """Make sure that the key fits its form, and that links which are on have one."""
        values: dict[str, Any] = super().clean() or {}
        key = values.get("key") or self._draft.key
        if values.get("is_enabled") and not key:
            self.add_error("key", "Enter the key that is typed into Epic")
        if key and "key_form" in values:
            try:
                derive_key(key, KeyForm(values["key_form"]))
            except ConfigurationError:
                self.add_error("key", "This key does not have the length that the chosen form needs")
        return values

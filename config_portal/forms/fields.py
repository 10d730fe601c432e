"""Fields that several pages of the portal share."""

import zoneinfo
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError


class LinesField(forms.CharField):
    """A list of short texts, one a line or with commas between; gives a list without repeats."""

    def __init__(self, *, longest: int = 60, most: int = 200, **options: Any) -> None:
        self.longest, self.most_items = longest, most
        options.setdefault("widget", forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}))
        super().__init__(max_length=longest * most, **options)

    def prepare_value(self, value: Any) -> Any:
        """Write a stored list with one text a line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the texts in the order they were typed.

        :raises ValidationError: when one is too long or there are too many.
        """
        text = super().to_python(value) or ""
        pieces = [piece.strip() for line in text.splitlines() for piece in line.split(",")]
        items = list(dict.fromkeys(piece for piece in pieces if piece))
        if len(items) > self.most_items:
            raise ValidationError(f"Enter at most {self.most_items} lines; there are {len(items)}")
        for item in items:
            if len(item) > self.longest:
                raise ValidationError(f"“{item[:20]}…” is longer than {self.longest} characters")
        return items

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the lists, not their spelling."""
        return bool(self.to_python(data) != (initial or []))


class OriginsField(LinesField):
    """Web origins such as ``https://mychart.example.org``, one a line."""

    def to_python(self, value: Any) -> Any:
        """Return the origins without a trailing slash.

        :raises ValidationError: for anything but scheme, host and port.
        """
        origins = [item.rstrip("/") for item in super().to_python(value)]
        for origin in origins:
            parts = urlsplit(origin)
            is_plain = parts.scheme in {"https", "http"} and parts.hostname and not (parts.path or parts.query)
            if not is_plain or "*" in origin:
                raise ValidationError(f"“{origin[:60]}” is not an origin such as https://mychart.example.org")
        return origins


def time_zones() -> list[tuple[str, str]]:
    """Return the IANA zones of places, for a select box: value and what is read."""
    names = sorted(name for name in zoneinfo.available_timezones() if _is_place(name))
    return [(name, name.replace("_", " ")) for name in names]


def _is_place(name: str) -> bool:
    area, _, place = name.partition("/")
    return bool(place) and area not in {"Etc", "SystemV", "posix", "right", "US", "Canada", "Brazil", "Chile", "Mexico"}

"""The address of a report: everything a person chose stands in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

FILTERS = ("days", "since", "until", "calendar", "endpoint", "department", "visit_type", "status", "provider")
_KNOWN = (*FILTERS, "by", "sort", "series", "columns", "page")
_SEPARATOR = "."


@dataclass(frozen=True)
class Address:
    """A page of the reports with what was chosen on it."""

    path: str
    chosen: Mapping[str, str]

    @classmethod
    def of(cls, path: str, given: QueryDict) -> "Address":
        """Return the address of a request, without what no report understands."""
        chosen = {name: str(given[name]) for name in _KNOWN if given.get(name)}
        if len(several := given.getlist("columns")) > 1:
            chosen["columns"] = _SEPARATOR.join(several)
        return cls(path, chosen)

    def get(self, name: str) -> str:
        """Return what was chosen under ``name``, or ''."""
        return self.chosen.get(name, "")

    def listed(self, name: str) -> list[str]:
        """Return the several things that were chosen under ``name``."""
        return [part for part in self.get(name).split(_SEPARATOR) if part]

    @property
    def page(self) -> int:
        """Which page of the rows, from 1."""
        text = self.get("page")
        return max(int(text), 1) if text.isdecimal() and len(text) < 7 else 1  # noqa: PLR2004 - a million pages

    @property
    def query(self) -> str:
        """What was chosen but the page, as it is kept."""
        return urlencode({name: value for name, value in self.chosen.items() if name != "page"})

    def changed(self, **values: object) -> str:
        """Return the same address with some things chosen otherwise; another choice begins at the first page."""
        merged = {name: value for name, value in self.chosen.items() if name != "page"} | values
        query = urlencode({name: value for name, value in merged.items() if value not in {"", None}})
        return f"{self.path}?{query}" if query else self.path

    def elsewhere(self, path: str) -> str:
        """Return another report about the same visits."""
        kept = {name: self.chosen[name] for name in FILTERS if name in self.chosen and name != "status"}
        return f"{path}?{urlencode(kept)}" if kept else path

    def hidden(self, *, but: Iterable[str]) -> list[tuple[str, str]]:
        """Return what a form has to carry along besides its own fields ``but``."""
        left_out = {*but, "page"}
        return [(name, value) for name, value in self.chosen.items() if name not in left_out]

    def toggled(self, name: str, key: str, *, among: Iterable[str], now: Iterable[str]) -> str:
        """Return the address with ``key`` of the things ``among`` added to those chosen ``now``, or taken away."""
        current = set(now)
        wanted = current ^ {key}
        kept = [one for one in among if one in wanted]
        return self.changed(**{name: _SEPARATOR.join(kept) or "none"})

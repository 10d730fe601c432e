"""Paste back what Epic has, and see whether the record there still says what was approved here.

What an analyst pastes may be our own file, a screen of Epic copied as text, or a single value.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from config_portal.records import IntegrationRecord, RecordField

LONGEST = 20_000
_MOST_LINES = 400
_CSV_CELLS = 3
_DELIMITER = re.compile(r"[:=\t,]|\s{2,}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ALIASES = {
    "launchurl": "url",
    "client": "clientid",
    "launchtype": "launchtype",
    "contexttokens": "context",
    "contexttoken": "context",
    "patientopenurl": "url",
}


class Finding(StrEnum):
    """How a field of Epic's record compares."""

    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class FieldReport:
    """One field: what it has to be, what Epic has, and what to do.

    :param found: '' when it was not pasted.
    :param hint: what the difference means and who mends it; '' when there is nothing to say.
    """

    name: str
    expected: str
    found: str
    finding: Finding
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class DriftReport:
    """The comparison of one record."""

    record: IntegrationRecord
    fields: tuple[FieldReport, ...]

    @property
    def is_same(self) -> bool:
        """Whether Epic has just what was approved."""
        return all(field.finding == Finding.SAME for field in self.fields)

    @property
    def differing(self) -> int:
        """How many fields are not the same."""
        return sum(field.finding != Finding.SAME for field in self.fields)


def compare(record: IntegrationRecord, text: str, *, others: Mapping[str, str]) -> DriftReport:
    """Compare ``text`` with ``record``.

    :param text: at most ``LONGEST`` characters are read.
    :param others: launch ids of the organization's other connections, each with what it is, such as
        ``production, lamna-main``; found in a URL, they explain it.
    """
    pasted = read(text, record)
    reports = [_report(field, pasted.get(_key(field.name)), others=others) for field in record.fields]
    return DriftReport(record=record, fields=tuple(reports))


def read(text: str, record: IntegrationRecord) -> dict[str, str]:
    """Return what was pasted by simplified field name.

    Of our own files only the part about ``record`` counts. A value without a name is known by its looks: an
    address, or context tokens.
    """
    text = text[:LONGEST]
    names = {_key(field.name) for field in record.fields}
    rows = _json_rows(text, record) or _csv_rows(text, record)
    if rows:
        return {_key(name): value for name, value in rows if _key(name) in names}
    found: dict[str, str] = {}
    for line in _section(text, record):
        name, value = _named(line, names)
        if name in names:
            found[name] = value
        elif (guessed := _guess(line.strip())) in names:
            found.setdefault(guessed, line.strip().strip('"'))
    return found


def _json_rows(text: str, record: IntegrationRecord) -> list[tuple[str, str]]:
    try:
        listed = json.loads(text)["records"]
        fields = next(item["fields"] for item in listed if item["kind"] == record.kind)
        return [(str(field["name"]), str(field["value"])) for field in fields]
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        return []


def _csv_rows(text: str, record: IntegrationRecord) -> list[tuple[str, str]]:
    if not text.lstrip().lower().startswith("record,field,value"):
        return []
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return []
    return [(row[1], row[2].removeprefix("'")) for row in rows if len(row) >= _CSV_CELLS and row[0] == record.title]


def _section(text: str, record: IntegrationRecord) -> list[str]:
    """Return the lines about the record: of our own text file those below its title, else all."""
    lines = text.splitlines()[:_MOST_LINES]
    titles = [number for number, line in enumerate(lines) if line.strip() == record.title]
    if not titles:
        return lines
    below = lines[titles[0] + 1 :]
    ends = [number for number, line in enumerate(below) if not line.strip()]
    return below[: ends[0]] if ends else below


def _named(line: str, names: Iterable[str]) -> tuple[str, str]:
    """Return field name and value of a line; our own names may hold a colon, so they are tried first."""
    stripped = line.strip().strip('"')
    for match in _DELIMITER.finditer(stripped):
        key = _key(stripped[: match.start()])
        key = _ALIASES.get(key, key)
        if key in names:
            return key, stripped[match.end() :].strip().strip('",').strip()
    return "", ""


def _guess(value: str) -> str:
    if re.match(r"https?://", value, re.IGNORECASE):
        return "url"
    return "context" if re.search(r"\w+=%\w", value) else ""


def _report(field: RecordField, found: str | None, *, others: Mapping[str, str]) -> FieldReport:
    if found is None:
        hint = f"{field.name} was not pasted, or the record has none."
        return FieldReport(name=field.name, expected=field.value, found="", finding=Finding.MISSING, hint=hint)
    is_context = "context" in field.name.casefold()
    is_same = _pairs(found) == _pairs(field.value) if is_context else found == field.value
    if is_same:
        note = "In another order, which does no harm." if found != field.value else ""
        return FieldReport(name=field.name, expected=field.value, found=found, finding=Finding.SAME, hint=note)
    hint = _context_hint(field.value, found) if is_context else _value_hint(field.value, found, others)
    return FieldReport(name=field.name, expected=field.value, found=found, finding=Finding.DIFFERS, hint=hint)


def _value_hint(expected: str, found: str, others: Mapping[str, str]) -> str:
    other = next((others[one.lower()] for one in _UUID.findall(found) if one.lower() in others), "")
    if other:
        return f"This is the address of another connection: {other}."
    if found.casefold() == expected.casefold():
        return "Only upper and lower case differ, and they matter here."
    wanted, given = urlsplit(expected), urlsplit(found)
    if wanted.netloc and wanted.netloc != given.netloc:
        return f"It leads to {given.netloc or 'no host'} instead of {wanted.netloc}."
    if wanted.scheme != given.scheme:
        return "It has to begin with https://."
    return "Copy the value from here into Epic."


def _context_hint(expected: str, found: str) -> str:
    wanted, given = _pairs(expected), _pairs(found)
    missing = [name for name in wanted if name not in given]
    wrong = [name for name in wanted if name in given and wanted[name] != given[name]]
    if "sessionid" in wrong and "%CONFERENCEID%" in given["sessionid"].upper():
        return "sessionId has %CONFERENCEID%: that is the context of a group visit. Here it has to be %CSN%."
    if "sessionid" in wrong and "%CSN%" in given["sessionid"].upper():
        return "sessionId has %CSN%: that is the context of a visit of one patient. Here it has to be %CONFERENCEID%."
    said = [f"{_spelled(wrong, expected)} has another token."] if wrong else []
    if missing:
        said.append(f"{_spelled(missing, expected)} is missing.")
        said += [_EFFECTS[name] for name in missing if name in _EFFECTS]
    extra = [name for name in given if name not in wanted]
    if not said:
        said.append(f"It passes more than is needed: {', '.join(extra)}. Leave that out.")
    return " ".join(said)


_EFFECTS = {
    "conferenceid": "Without it Epic is not told who connected.",
    "departmentid": "Without it reports do not show departments.",
    "sessionid": "Without it no visit opens.",
    "userid": "Without it the timeline does not show who opened the visit.",
    "csn": "Without it patients of a group visit are not told apart.",
}


def _pairs(context: str) -> dict[str, str]:
    """Return context tokens by name; names are compared without regard to case, as launches read them."""
    pairs = (pair.partition("=") for pair in context.strip().lstrip("?&").split("&") if pair)
    return {name.strip().casefold(): value.strip() for name, _, value in pairs}


def _spelled(names: Iterable[str], context: str) -> str:
    """Return ``names`` as ``context`` spells them."""
    spelling = {pair.partition("=")[0].casefold(): pair.partition("=")[0] for pair in context.split("&")}
    return ", ".join(spelling.get(name, name) for name in names)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())

"""Reports as files: headings and rows, times in UTC (ISO 8601), lengths in seconds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from reports.models import Export
from reports.presenters.calls import CALL_COLUMNS
from reports.presenters.columns import Column, Columns, Reader
from reports.presenters.texts import TEXT_COLUMNS
from reports.presenters.visit_columns import VISITS
from reports.services import call_figures, visits
from reports.services.asked import Asked
from reports.services.texts import sorted_texts

_COLUMNS: Mapping[str, Columns[Any]] = {
    Export.Subject.VISITS: VISITS, Export.Subject.TEXTS: TEXT_COLUMNS, Export.Subject.CALLS: CALL_COLUMNS,
}  # fmt: skip
_CHUNK = 2_000


def header_of(subject: str, columns: Sequence[str]) -> list[str]:
    """Return the headings of a file."""
    return [column.heading for column in _columns(subject, columns)]


def rows_of(subject: str, asked: Asked, columns: Sequence[str], *, names_visits: bool) -> Iterator[Sequence[object]]:
    """Yield the rows of a file, newest first.

    :param columns: the keys of the columns that were chosen; without any that exists there are all.
    :param names_visits: whether Epic's numbers of visits stand in it, or ours.
    """
    reader = Reader(zone=ZoneInfo("UTC"), may_open=names_visits)
    wanted = _columns(subject, columns)
    for row in _rows(subject, asked):
        yield [column.plain(row, reader) for column in wanted]


def _rows(subject: str, asked: Asked) -> Iterable[Any]:
    if subject == Export.Subject.TEXTS:
        return sorted_texts(asked).iterator(chunk_size=_CHUNK)
    if subject == Export.Subject.CALLS:
        return call_figures.sorted_calls(asked).iterator(chunk_size=_CHUNK)
    return visits.all_of(asked)


def _columns(subject: str, keys: Sequence[str]) -> list[Column[Any]]:
    everything = _COLUMNS[subject]
    return everything.chosen(keys, usual=everything.by_key)

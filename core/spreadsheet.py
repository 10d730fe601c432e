"""Tables for spreadsheets: CSV whose cells a spreadsheet shows and never runs."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

# A cell that begins with one of these is a formula to Excel, LibreOffice and Sheets (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: object) -> str:
    """Return ``cell`` as text that no spreadsheet takes for a formula."""
    text = "" if cell is None else str(cell)
    is_number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not is_number else text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180): comma, CRLF, quotes where needed."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in itertools.chain([header], rows):
        writer.writerow([neutral(cell) for cell in row])
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text

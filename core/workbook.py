"""Excel workbooks written row by row, in memory that does not grow (Office Open XML, ISO/IEC 29500).

Cells hold numbers or text written in place, never formulas; texts are neutral besides, for whoever saves them as CSV.
"""

import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO
from xml.sax.saxutils import escape

from core.spreadsheet import neutral

# What a sheet of Excel can hold, its heading included; more rows go on in another sheet.
MOST_ROWS = 1_048_576
_AT_ONCE = 1_000
# Characters that XML 1.0 cannot hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class _Sink(io.RawIOBase):
    """Takes what the archive writes and gives it away; nobody can go back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]  # any buffer, as io has it
        self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def xlsx_parts(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, most_rows: int = MOST_ROWS
) -> Iterator[bytes]:
    """Yield the bytes of a workbook with ``header`` on every sheet and ``rows`` below, some at a time."""
    sink = _Sink()
    remaining = iter(rows)
    sheets = 0
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        following: Iterator[Sequence[object]] = remaining
        while True:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as sheet:
                yield from _sheet(sheet, header, itertools.islice(following, most_rows - 1), sink)
            first = next(remaining, None)
            if first is None:
                break
            following = itertools.chain([first], remaining)
        for name, content in _frame(sheets):
            archive.writestr(name, _DECLARATION + content)
    yield sink.take()


def _sheet(sheet: IO[bytes], header: Sequence[str], rows: Iterator[Sequence[object]], sink: _Sink) -> Iterator[bytes]:
    write = sheet.write
    write(f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetData>{_row(header)}'.encode())
    while chunk := list(itertools.islice(rows, _AT_ONCE)):
        write("".join(map(_row, chunk)).encode())
        yield sink.take()
    write(b"</sheetData></worksheet>")


def _row(cells: Sequence[object]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: object) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    text = escape(_UNWRITABLE.sub("", neutral(value)))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _frame(sheets: int) -> Iterator[tuple[str, str]]:
    """Yield the parts that say what the others are."""
    numbers = range(1, sheets + 1)
    listed = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>' for n in numbers
    )
    yield "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    yield "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>'
    document = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    yield "_rels/.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{document}</Relationships>'
    defaults = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    book = f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    yield "[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types">{defaults}{book}{types}</Types>'

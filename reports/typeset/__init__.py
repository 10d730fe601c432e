"""Set a sheet of paper: data in, an accessible PDF out.

Typst (typst.app) typesets; its PDFs carry a structure for screen readers, language and title (PDF/UA-1). The font,
Source Sans Pro, is embedded. Fonts of the machine are left alone, so that a sheet looks the same everywhere.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import typst

_SHEET = Path(__file__).with_name("sheet.typ")


def pdf_of(sheet: Mapping[str, Any], *, made_at: datetime) -> bytes:
    """Return ``sheet`` (what ``sheet.typ`` asks for) as a PDF.

    A PDF with letters that the fonts lack may not call itself PDF/UA: such a sheet has the same structure, without
    the claim.
    """
    try:
        return _compiled(sheet, made_at=made_at, standards=["ua-1"])
    except typst.TypstError:
        return _compiled(sheet, made_at=made_at, standards=[])


def _compiled(sheet: Mapping[str, Any], *, made_at: datetime, standards: list[Literal["ua-1"]]) -> bytes:
    made = typst.compile(
        str(_SHEET),
        sys_inputs={"sheet": json.dumps(sheet)},
        font_paths=[_fonts()],
        ignore_system_fonts=True,
        timestamp=made_at.replace(microsecond=0),
        pdf_standards=[*standards],
    )
    assert isinstance(made, bytes)  # noqa: S101 - a document that is not written to a file is returned
    return made


@cache
def _fonts() -> str:
    return str(files("font_source_sans_pro") / "files")

import io
import zipfile
from xml.etree import ElementTree

from core.workbook import xlsx_parts

SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def opened(header, rows, **more):
    return zipfile.ZipFile(io.BytesIO(b"".join(xlsx_parts(header, rows, **more))))


def read(archive, sheet=1):
    """Return the rows of a sheet: numbers as numbers, texts as texts."""
    root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314 - our own
    return [[value_of(cell) for cell in row] for row in root.iterfind(".//m:row", SPACE)]


def value_of(cell):
    if cell.get("t") == "inlineStr":
        return cell.find(".//m:t", SPACE).text or ""
    return float(cell.find("m:v", SPACE).text)


def test_numbers_are_numbers_and_texts_are_texts():
    archive = opened(["A", "B"], [[1, "x"], [2.5, None], [True, "<&>"]])
    assert read(archive) == [["A", "B"], [1, "x"], [2.5, ""], ["True", "<&>"]]
    assert archive.testzip() is None


def test_every_part_of_the_archive_is_well_formed_and_announced():
    archive = opened(["A"], [])
    for name in archive.namelist():
        ElementTree.fromstring(archive.read(name))  # noqa: S314 - our own
    types = archive.read("[Content_Types].xml").decode()
    assert all(f"/{name}" in types for name in archive.namelist() if name.endswith(("sheet1.xml", "workbook.xml")))


def test_a_formula_is_a_text():
    archive = opened(["A"], [["=1+1"], ["@cmd"], ["\x01\x0bok"]])
    assert read(archive)[1:] == [["'=1+1"], ["'@cmd"], ["ok"]]
    assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_rows_beyond_a_sheet_go_on_in_the_next():
    archive = opened(["A"], [[number] for number in range(7)], most_rows=4)
    assert [read(archive, sheet) for sheet in (1, 2, 3)] == [
        [["A"], [0], [1], [2]], [["A"], [3], [4], [5]], [["A"], [6]],
    ]  # fmt: skip
    assert archive.read("xl/workbook.xml").count(b"<sheet ") == 3


def test_what_is_held_does_not_grow_with_the_rows():
    parts = xlsx_parts(["A"], ([f"cell {number}"] for number in range(200_000)))
    assert max(len(part) for part in parts) < 100_000

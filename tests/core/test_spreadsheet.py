import csv

import pytest

from core.spreadsheet import csv_lines, neutral


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_run_becomes_text(text):
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(("cell", "text"), [(-5, "-5"), (0.5, "0.5"), (None, ""), ("a=b", "a=b"), ("", "")])
def test_numbers_and_harmless_text_stay(cell, text):
    assert neutral(cell) == text


def test_a_file_reads_back_as_it_was():
    text = "".join(csv_lines(["name", "note"], [["Rivera", 'said "yes", twice'], ["Soto", "two\nlines"]]))
    assert text.count("\r\n") == 3
    assert list(csv.reader(text.splitlines(keepends=True)))[1:] == [
        ["Rivera", 'said "yes", twice'],
        ["Soto", "two\nlines"],
    ]

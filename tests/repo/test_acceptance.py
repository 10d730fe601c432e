"""docs/security.md says which test shows which property; each of them is there."""

import ast
import re
from functools import cache

import pytest

from ehrconnector.stack.children import PROJECT

ROWS = re.compile(r"^\| (\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
WANTED = {*range(1, 37), *range(44, 65), *range(67, 71), 72, *range(76, 81)}


def rows():
    text = (PROJECT / "docs" / "security.md").read_text()
    return {int(number): NAMED.findall(tests) for number, _, tests in ROWS.findall(text)}


@cache
def names_in(path):
    tree = ast.parse((PROJECT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_property_names_its_tests():
    assert set(rows()) == WANTED
    assert all(rows().values())


@pytest.mark.parametrize("number", sorted(WANTED))
def test_the_names_in_a_property_exist(number):
    missing = [f"{path}::{name}" for path, name in rows()[number] if name not in names_in(path)]
    assert missing == []

import os
import re

import pytest

from ehrconnector.stack import checks
from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.environment import SECRETS, production_example, twin_variables

READ_BY_SETTINGS = re.compile(r"\benv\.[a-z_]+\(\s*\"([A-Z][A-Z0-9_]+)\"")
READ_BY_STACK = re.compile(
    r"(?:port_from|_fixed_port|environ\.get|environ)[(\[]\s*\"([A-Z][A-Z0-9_]+)\""
    r"|^[A-Z]+ = \"([A-Z]+_[A-Z_]+)\"",
    re.MULTILINE,
)
NOT_FOR_OPERATORS = {"PYTEST_XDIST_WORKER", "TMPDIR"}
DOCUMENTED = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)


def variables_read() -> set[str]:
    settings = "".join(path.read_text() for path in (PROJECT / "ehrconnector").glob("settings*.py"))
    folders = (PROJECT / "ehrconnector" / "stack", PROJECT / "benchmarks")
    stack = "".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    found = set(READ_BY_SETTINGS.findall(settings))
    found |= {name for pair in READ_BY_STACK.findall(stack) for name in pair if name}
    return found - NOT_FOR_OPERATORS


def test_every_variable_is_documented_and_every_documented_variable_exists():
    documented = DOCUMENTED.findall((PROJECT / "docs" / "configuration.md").read_text())
    assert len(documented) == len(set(documented))
    assert set(documented) == variables_read()


def test_the_example_file_names_only_variables_that_exist():
    text = (PROJECT / ".env.example").read_text()
    assert set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE)) <= variables_read()


def test_what_the_stack_sets_is_read_by_somebody():
    assert {*SECRETS, *production_example(), *twin_variables("http://127.0.0.1:8100")} <= variables_read()


@pytest.mark.parametrize(("title", "settings", "arguments"), checks.CHECKS)
def test_a_failing_check_fails_make_check(title, settings, arguments, monkeypatch, capsys):
    monkeypatch.setattr(checks, "CHECKS", [(title, settings, ("no_such_command", *arguments))])
    assert checks.main() == 1
    assert "FAILED" in capsys.readouterr().out


def test_the_makefile_lists_every_target_it_offers():
    text = (PROJECT / "Makefile").read_text()
    promised = "setup run demo test lint types format check e2e bench chaos help lock"
    offered = re.findall(r"^([a-z0-9]+):.*## \S", text, re.MULTILINE)
    assert set(promised.split()) == set(offered)
    assert os.access(PROJECT / ".ci" / "run", os.X_OK)

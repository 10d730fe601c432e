"""Everything a patient reads has a Spanish translation, and the compiled catalogue is the written one."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
CATALOGUE = ROOT / "launch" / "locale" / "es" / "LC_MESSAGES" / "django.po"
# Words of the frame around patient pages.
FRAME = [
    ROOT / "core" / "templates" / "core" / name
    for name in ("layouts/base.html", "layouts/patient.html", "components/help_card.html")
]
TEMPLATES = [*sorted((ROOT / "launch" / "templates").rglob("*.html")), *FRAME]
SOURCES = sorted((ROOT / "launch").rglob("*.py"))
CONTEXT = "\x04"  # how gettext joins a context and its message
_CALLS = {"_", "gettext", "gettext_lazy", "pgettext", "pgettext_lazy"}


def calls_in(source: str) -> set[str]:
    """Return the messages of every translating call in Python source."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name in _CALLS:
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            found.add(CONTEXT.join(words[: 2 if name.startswith("p") else 1]))
    return found


def messages_of(template: Path) -> set[str]:
    """Return the messages of a template, as Django hands them to gettext."""
    calls = re.findall(r"\b(?:_|gettext|pgettext)\(.*?'\)|\b_\(\".*?\"\)", templatize(template.read_text()), re.DOTALL)
    return set().union(*(calls_in(call) for call in calls))


def written() -> dict[str, str]:
    """Read the catalogue: messages and their translations."""
    entries: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", CATALOGUE.read_text()):
        parts = {}
        for name, text in re.findall(r'^(msgctxt|msgid|msgstr) ((?:".*"\n?)+)', block, re.MULTILINE):
            parts[name] = "".join(ast.literal_eval(line) for line in text.strip().splitlines())
        if parts:
            context = parts.get("msgctxt")
            entries[f"{context}{CONTEXT}{parts['msgid']}" if context else parts["msgid"]] = parts["msgstr"]
    return entries


WRITTEN = written()
NEEDED = set().union(*map(messages_of, TEMPLATES), *(calls_in(path.read_text()) for path in SOURCES))


def test_there_is_something_to_translate():
    assert {"You are checked in", "This visit was moved", "Need help?", f"time format{CONTEXT}g:i A"} <= NEEDED
    assert "Your visit is <b>%(when)s</b>." in NEEDED


@pytest.mark.parametrize("message", sorted(NEEDED))
def test_a_message_has_a_spanish_translation(message):
    translation = WRITTEN.get(message, "")
    assert translation
    placeholders = re.compile(r"%\(\w+\)s|\{\}|</?b>")
    assert sorted(placeholders.findall(translation)) == sorted(placeholders.findall(message))


def test_the_catalogue_holds_nothing_that_nobody_says():
    elsewhere = {"", "Reference for support:"}  # the header, and the error page that staff share
    assert set(WRITTEN) - elsewhere == NEEDED


def test_the_compiled_catalogue_is_the_written_one():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert compiled._catalog == WRITTEN

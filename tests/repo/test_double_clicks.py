"""Acceptance test 77, for all forms at once: what changes something is sent once, however often it is clicked.

The script that keeps the second click back is `core/js/forms.js`; without it the services themselves are idempotent,
which the tests of each page show.
"""

import re

import pytest

from ehrconnector.stack.children import PROJECT

# Forms that may be sent again, because that changes nothing more.
REPEATABLE = {
    "config_portal/records.html": "compares what was pasted and stores nothing",
    "core/components/avatar_menu.html": "signs out",
    "core/components/language_switch.html": "chooses a language",
    "core/components/organization_switch.html": "chooses an organization",
    "core/components/session_warning.html": "says that somebody is there",
    "core/styleguide.html": "goes nowhere",
    "launch/_go.html": "opens the one meeting of the visit",
    "launch/_status.html": "opens the one meeting of the visit, in another tab",
    "launch/cookie_test.html": "sends itself, and the launch is spent once",
    "launch/end.html": "opens the one meeting of the visit",
    "launch/first_time.html": "opens the one meeting of the visit",
}
FORM = re.compile(r"<form\b[^>]*method=\"post\".*?(?<!%)>", re.DOTALL)
TEMPLATES = {
    str(path).partition("/templates/")[2]: path
    for path in sorted(PROJECT.glob("*/templates/**/*.html"))
    if path.relative_to(PROJECT).parts[0] != "sandbox"
}


def careless(path):
    return [form for form in FORM.findall(path.read_text()) if "data-once" not in form]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_form_that_changes_something_is_sent_once(name):
    assert bool(careless(TEMPLATES[name])) == (name in REPEATABLE)


def test_the_exceptions_are_still_there():
    assert set(REPEATABLE) <= set(TEMPLATES)


def test_there_are_forms_to_look_at():
    assert sum(len(FORM.findall(path.read_text())) for path in TEMPLATES.values()) > 40

"""Differences in words: no value of a configuration is left out."""

import copy

import pytest

from config_portal import snapshot, wording
from config_portal.services.drafts import draft_of
from tests.config_portal.approving import fresh
from tests.factories import make_endpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def content():
    endpoint = make_endpoint(departments=["LMFM"], frame_ancestors=["https://hyperspace.lamna.example.org"])
    return draft_of(fresh(endpoint)).content


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


def changed(content, path):
    other = copy.deepcopy(content)
    place = other
    for name in path[:-1]:
        place = place[name]
    old = place[path[-1]]
    new = {bool: lambda: not old, int: lambda: old + 1, list: lambda: [*old, "NEW"], dict: lambda: {"new": "x"}}
    place[path[-1]] = new[type(old)]() if type(old) in new else f"{old}x"
    return other


def test_every_value_that_changes_is_shown_as_was_and_now(content):
    paths = [path for path in leaves(content) if path]
    assert len(paths) > 40
    for path in paths:
        found = wording.difference(content, changed(content, path))
        assert len(found) == 1, path
        assert found[0].was != found[0].now
        assert found[0].label
        assert "_" not in found[0].label


def test_a_value_that_comes_or_goes_is_shown(content):
    less = copy.deepcopy(content)
    del less["endpoint"]["departments"]
    assert [(d.was, d.now) for d in wording.difference(content, less)] == [("LMFM", "Not set")]
    assert [(d.was, d.now) for d in wording.difference(less, content)] == [("Not set", "LMFM")]


def test_equal_configurations_do_not_differ(content):
    assert wording.difference(content, copy.deepcopy(content)) == []
    assert len(wording.difference(None, content)) > 30


def test_a_part_without_words_is_named_after_its_keys(content):
    more = {**content, "later_part": {"some_value": {"inner_one": [1, 2]}}}
    found = wording.difference(content, more)
    assert [(d.section, d.label, d.now) for d in found] == [("Later part", "Some value · Inner one", "1, 2")]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(1440, "1 day"), (2880, "2 days"), (120, "2 hours"), (60, "1 hour"), (90, "90 minutes"), (1, "1 minute")],
)
def test_minutes_are_said_as_people_say_them(minutes, words):
    assert wording.duration(minutes) == words


def test_only_the_words_that_differ_are_marked():
    difference = wording.Difference(
        key="x", section="", label="", was="https://fhir.lamna.example.org/R4", now="https://fhir2.lamna.example.org/R4"
    )
    assert [s.text for s in difference.was_segments if s.is_changed] == ["fhir"]
    assert [s.text for s in difference.now_segments if s.is_changed] == ["fhir2"]
    assert "".join(s.text for s in difference.now_segments) == difference.now


def test_the_summary_says_who_is_behind_it(content):
    endpoint = make_endpoint(environment="production", name="main")
    text = " ".join(wording.summary(endpoint, draft_of(fresh(endpoint)).content))
    assert "production Epic" in text
    assert "Real patients are behind it." in text
    assert "number ending 0142" in text


def test_the_digest_covers_what_the_words_show(content):
    digests = {snapshot.digest(changed(content, path)) for path in leaves(content) if path}
    assert snapshot.digest(content) not in digests


def test_values_stand_in_the_order_of_their_labels_whatever_order_the_database_gives():
    content = {"endpoint": {"launch_id": "x", "unnamed": 1, "base_url": "u", "environment": "test"}}
    labels = [line.label for line in wording.lines(content)]
    assert labels == ["Environment", "FHIR base URL", "Launch id", "Unnamed"]

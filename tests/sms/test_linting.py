import pytest

from sms.linting import lint, lint_length
from sms.wording import DEFAULTS

GOOD = "{organization}: your video visit is {when}. Join at {link} Help: {help}. Reply STOP to end texts."


def errors(body, kind="reminder"):
    return [finding.text for finding in lint(body, kind=kind) if finding.is_error]


@pytest.mark.parametrize("language", DEFAULTS)
@pytest.mark.parametrize("kind", ["scheduled", "moved", "reminder", "cancelled"])
def test_our_own_words_pass(kind, language):
    assert errors(DEFAULTS[language][kind], kind) == []


def test_good_words_pass_without_a_word():
    assert lint(GOOD, kind="reminder") == []


@pytest.mark.parametrize(
    ("change", "about"),
    [
        (("{organization}: ", ""), "{organization}"),
        (("{when}", "soon"), "{when}"),
        (("Join at {link} ", ""), "{link}"),
        (("Reply STOP to end texts.", "Thank you."), "STOP"),
        (("Reply STOP", "Reply stop"), "STOP"),
        (("Help: {help}. ", ""), "help"),
        (("{link} Help", "{link}. Help"), "space after"),
        (("Join at {link}", "Join at {link} or {link}"), "once"),
        (("{when}.", "{when}. See bit.ly/abc."), "bit.ly/abc"),
        (("{when}.", "{when}. See https://lamna.example.org/visits"), "https://lamna.example.org/visits"),
        (("{organization}: your", "Dear Elena, your"), "Dear"),
        (("{organization}: your", "{organization}: Hola {nombre}, your"), "{nombre}"),
        (("video visit", "video visit with {provider_name}"), "{provider_name}"),
        (("video visit", "oncology visit"), "oncology"),
        (("video visit", "visit about your test results"), "results"),
        (("video visit", "consulta de psiquiatría"), "psiquiatría"),
        (("video visit", "visit 482200417"), "record number"),
        (("{when}", "{wehn}"), "{wehn}"),
        (("Reply", "x" * 600 + " Reply"), "600"),
    ],
)
def test_what_may_not_be_in_a_text_is_named(change, about):
    found = errors(GOOD.replace(*change))
    assert any(about in text for text in found), found


def test_a_link_at_the_end_is_moved_into_the_middle():
    assert any("middle" in text for text in errors("{organization} {when} HELP STOP {link}"))


def test_a_cancellation_has_no_link():
    assert any("cancelled visit" in text for text in errors(GOOD, "cancelled"))


def test_a_character_that_costs_segments_is_a_warning_and_named():
    (warning,) = lint(GOOD.replace("Join", "Tham gia ở"), kind="reminder")
    assert not warning.is_error
    assert "ở" in warning.text


def test_accents_that_are_taken_off_cost_nothing():
    assert lint(GOOD.replace("Join", "Únase aquí"), kind="reminder") == []


@pytest.mark.parametrize(
    ("text", "is_too_long"),
    [("a" * 306, None), ("a" * 307, True), ("й" * 134, None), ("й" * 135, False), ("й" * 269, True)],
)
def test_many_segments_are_refused_and_another_alphabet_may_have_four(text, is_too_long):
    found = lint_length(text)
    assert [finding.is_error for finding in found] == ([] if is_too_long is None else [is_too_long])

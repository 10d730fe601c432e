from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sms import segments as segments_of
from sms import wording

TEXT = wording.Wording(
    kind="scheduled",
    language="en",
    organization="Lamna Healthcare",
    starts_at=datetime(2026, 9, 21, 19, 0, tzinfo=UTC),
    time_zone="America/Chicago",
    link="https://visits.lamna.example.org/j/AAAAAAAAAAAAAAAAAAAAAA",
    help_phone="(608) 555-0110",
    opens_minutes=30,
)


def test_a_confirmation_says_who_when_where_and_how_to_stop():
    assert wording.compose(TEXT) == (
        "Lamna Healthcare: your video visit is Mon Sep 21, 2:00 PM CDT."
        " Join at https://visits.lamna.example.org/j/AAAAAAAAAAAAAAAAAAAAAA from 30 min before."
        " Help: (608) 555-0110. Reply STOP to end texts."
    )


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["scheduled", "moved", "reminder"])
def test_the_link_stands_in_the_middle(kind, language):
    text = wording.compose(replace(TEXT, kind=kind, language=language))
    before, after = text.split(TEXT.link)
    assert before.strip()
    assert after.strip()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["scheduled", "moved", "reminder", "cancelled"])
def test_every_text_travels_in_plain_letters_and_at_most_two_segments(kind, language):
    length = wording.length(wording.compose(replace(TEXT, kind=kind, language=language)))
    assert length.encoding == "GSM-7"
    assert length.segments <= 2


def test_a_cancellation_carries_no_link():
    assert "http" not in wording.compose(replace(TEXT, kind="cancelled", link=""))


def test_a_language_without_a_translation_gets_english():
    assert wording.compose(replace(TEXT, language="vi")) == wording.compose(TEXT)


def test_midnight_and_noon_are_told_apart():
    at = lambda hour: wording.when(datetime(2026, 9, 21, hour, 0, tzinfo=UTC), time_zone="UTC", language="en")  # noqa: E731
    assert (at(0), at(12)) == ("Mon Sep 21, 12:00 AM UTC", "Mon Sep 21, 12:00 PM UTC")


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("ñ" * 160, "GSM-7", 1),
        ("í" * 70, "UCS-2", 1),
        ("í" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("", "GSM-7", 1),
    ],
)
def test_segments_are_counted_as_carriers_count_them(text, encoding, segments):
    measured = segments_of.length(text)
    assert (measured.encoding, measured.segments) == (encoding, segments)


@pytest.mark.parametrize(
    ("text", "room"), [("a" * 150, 10), ("a" * 160, 0), ("a" * 161, 145), ("й" * 60, 10), ("й" * 71, 63)]
)
def test_the_counter_says_how_much_room_the_last_segment_has(text, room):
    assert segments_of.length(text).room == room


def test_typographic_quotes_and_dashes_cost_nothing():
    assert segments_of.plain("\u201cIt\u2019s\u201d 9\u201310\u00a0AM \u2014 here\u2026") == '"It\'s" 9-10 AM - here...'


def test_accents_go_only_where_that_saves_segments():
    assert segments_of.plain("Clínica Peña está aquí") == "Clinica Peña esta aqui"
    assert segments_of.plain("Cuộc hẹn ở Mỹ, ví dụ") == "Cuộc hẹn ở Mỹ, ví dụ"


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", ["scheduled", "moved", "reminder", "cancelled"])
def test_without_a_help_number_its_sentence_is_left_out_and_nothing_else(kind, language):
    with_help = wording.compose(replace(TEXT, kind=kind, language=language))
    without = wording.compose(replace(TEXT, kind=kind, language=language, help_phone=""))
    sentence = {"en": "Help: (608) 555-0110. ", "es": "Ayuda: (608) 555-0110. "}[language]
    assert without == with_help.replace(sentence, "")
    assert without != with_help


OWN = {"en": {"reminder": "{organization} - video visit {when}, {link} - STOP ends texts, HELP helps"}}


def test_an_organization_has_its_own_words():
    text = wording.compose(replace(TEXT, kind="reminder", templates=OWN))
    assert text == f"Lamna Healthcare - video visit Mon Sep 21, 2:00 PM CDT, {TEXT.link} - STOP ends texts, HELP helps"


def test_what_it_did_not_write_itself_stays_ours():
    assert wording.compose(replace(TEXT, templates=OWN)) == wording.compose(TEXT)


def test_a_further_language_has_its_own_days_and_months():
    own = {"vi": {"reminder": "{organization}: khám qua video {when}. {link} Trả lời STOP. HELP"}}
    text = wording.compose(replace(TEXT, kind="reminder", language="vi", templates=own))
    assert "14:00 CDT" in text
    assert "Sep" not in text
    assert text.startswith("Lamna Healthcare: khám qua video")


def test_a_kind_that_was_not_translated_is_sent_in_english():
    own = {"vi": {"reminder": "{organization} {when} {link} STOP"}}
    assert wording.compose(replace(TEXT, language="vi", templates=own)) == wording.compose(TEXT)


@pytest.mark.parametrize("hole", ["{help_phone}", "{organization.__class__}", "{0}", "{settings}"])
def test_words_reach_nothing_but_their_placeholders(hole):
    own = {"en": {"scheduled": f"{hole} {{when}}"}}
    assert wording.compose(replace(TEXT, templates=own)).startswith(hole)

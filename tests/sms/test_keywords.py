import pytest

from sms.keywords import WORDS, Meaning, understand


@pytest.mark.parametrize(
    "words",
    [
        "STOP", "stop.", "Stop!!", " stop ", "StopAll", "stop all", "QUIT", "End", "revoke", "Opt out", "opt-out",
        "OPTOUT", "cancel", "Unsubscribe", "ALTO", "parar", "Cancelar", "No más", "no mas", "baja",
        "stop please", "please stop", "Stop texting me", "please stop sending me messages", "do not text me again",
        "don't text me", "Don\u2019t message me any more", "no more texts please", "remove me from your list",
        "take my number off", "I revoke my consent", "unsubscribe me", "leave me alone",
        "no quiero más mensajes", "dejen de enviarme mensajes", "no me manden mensajes", "por favor pare",
    ],
)  # fmt: skip
def test_no_is_understood_in_any_reasonable_way(words):
    assert understand(words).meaning == Meaning.STOP


@pytest.mark.parametrize("words", ["START", "unstop", "Yes", "Sí", "si", "comenzar"])
def test_so_is_yes(words):
    assert understand(words).meaning == Meaning.START


@pytest.mark.parametrize("words", ["Yes", "Sí"])
def test_a_bare_yes_to_a_toll_free_number_lifts_no_block(words):
    assert understand(words, is_toll_free=True).meaning == Meaning.OTHER
    assert understand("unstop", is_toll_free=True).meaning == Meaning.START


@pytest.mark.parametrize("words", ["HELP", "info", "Ayuda", "I need help", "necesito ayuda"])
def test_and_a_question_for_help(words):
    assert understand(words).meaning == Meaning.HELP


@pytest.mark.parametrize(
    "words", ["please stop by at 3", "the bus does not stop here", "wrong number", "¿cuándo basta?", "stop by tomorrow"]
)
def test_doubt_is_neither_yes_nor_no(words):
    assert understand(words).meaning == Meaning.UNCLEAR


@pytest.mark.parametrize(
    "words", ["", "thank you", "ok", "I will be there", "cancel my visit on Monday", "👍", "x" * 5000]
)
def test_anything_else_changes_nothing(words):
    assert understand(words).meaning == Meaning.OTHER


def test_every_word_has_one_meaning_and_is_written_as_it_is_looked_up():
    assert all(understand(word).word == word for word in WORDS)


def test_the_language_of_a_word_is_known():
    assert understand("AYUDA").language == "es"
    assert understand("please stop texting me").language == "en"

import pytest
from django.utils import translation

from core.errors import ConfigurationError, ConnectorError, LaunchRefused, OutcomeUnknown, UpstreamUnavailable
from launch import words

ENGLISH_FOR_STAFF = "The access policy is missing: run Grant-CsApplicationAccessPolicy."


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (UpstreamUnavailable("graph.failing"), 503, "The visit cannot be opened right now"),
        (OutcomeUnknown("graph.no_answer"), 503, "The visit cannot be opened right now"),
        (ConfigurationError("graph.access_policy", ENGLISH_FOR_STAFF), 503, "The visit cannot be opened yet"),
        (LaunchRefused("id_token.nonce"), 400, "The visit could not be opened"),
        (LaunchRefused("launch.state_used", "Used."), 400, "Open the visit again from Epic"),
    ],
)
def test_staff_read_what_the_error_says(error, status, title):
    page = words.for_staff(error)
    assert (page.status, page.title) == (status, title)
    assert page.happened == error.user_message or not error.user_message
    assert page.todo


@pytest.mark.parametrize("kind", [ConfigurationError, UpstreamUnavailable, OutcomeUnknown, LaunchRefused])
@pytest.mark.parametrize("code", ["graph.access_policy", "launch.state_used", "join.moved", "visit.no_cookie"])
def test_patients_never_read_what_was_written_for_staff(kind, code):
    error: ConnectorError = kind(code, ENGLISH_FOR_STAFF)
    for language in ("en", "es"):
        with translation.override(language):
            page = words.for_patient(error)
            shown = f"{page.title} {page.happened} {page.todo}"
            assert ENGLISH_FOR_STAFF not in shown
            assert "Epic" not in shown

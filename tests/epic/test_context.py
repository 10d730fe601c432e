import pytest

from core.errors import LaunchRefused
from epic.context import read_context
from epic.oauth import ContextFields


def read(**fields):
    return read_context(ContextFields(fields))


def test_a_one_to_one_visit_has_its_csn_and_its_conference_id():
    context = read(SESSIONID="482200417", conferenceid="1853", userId="AOKAFOR", departmentID="LMFM")
    assert (context.session_id, context.conference_id) == ("482200417", "1853")
    assert (context.user_id, context.department_id) == ("AOKAFOR", "LMFM")
    assert not context.is_group


def test_the_session_of_a_group_visit_is_its_conference():
    context = read(sessionId="1853", csn="482200417")
    assert (context.session_id, context.conference_id, context.csn) == ("1853", "1853", "482200417")
    assert context.is_group


def test_a_conference_id_may_be_missing():
    assert not read(sessionId="482200417").conference_id


@pytest.mark.parametrize("fields", [{}, {"sessionId": ""}, {"sessionId": "  "}, {"csn": "482200417"}])
def test_a_launch_without_a_session_is_refused(fields):
    with pytest.raises(LaunchRefused) as caught:
        read(**fields)
    assert caught.value.code == "launch.no_session"


@pytest.mark.parametrize(
    "fields",
    [
        {"sessionId": "%CSN%"},
        {"sessionId": "482200417", "conferenceId": "%CONFERENCEID%"},
        {"sessionId": "482200417", "userId": "%EPICUSERID%"},
        {"sessionId": "482200417", "departmentId": " %DEP.ID% "},
    ],
)
def test_a_token_that_epic_did_not_fill_in_is_refused_and_named(fields):
    with pytest.raises(LaunchRefused) as caught:
        read(**fields)
    assert caught.value.code == "launch.context_not_filled"
    assert caught.value.detail in fields
    assert "FDI context token not filled in" in caught.value.user_message


@pytest.mark.parametrize("value", ["1" * 201, "12\n34", "12\x00"])
def test_a_value_that_is_no_id_is_refused(value):
    with pytest.raises(LaunchRefused) as caught:
        read(sessionId=value)
    assert caught.value.code == "launch.context_invalid"


def test_ids_do_not_show_in_the_representation():
    assert "482200417" not in repr(read(sessionId="482200417", conferenceId="1853", userId="AOKAFOR"))

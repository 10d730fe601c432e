"""What Graph and Entra can answer besides success, and what becomes of it."""

import base64
import dataclasses
import uuid

import jwt
import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from responses import matchers

from core.errors import ConfigurationError, ConnectorError, UpstreamRejected, UpstreamUnavailable
from core.http import build_session
from meetings.providers.base import (
    MeetingOptions,
    MeetingRequest,
    OnlineMeeting,
)
from meetings.providers.teams import throttle, token
from meetings.providers.teams.connection import TeamsConnection
from meetings.providers.teams.meetings import compare_options, graph_options
from tests.meetings.conftest import CLIENT, ENTRA, GRAPH, MADE, ORGANIZER, TENANT, TOKEN_URL, graph_error

MEETINGS = f"{GRAPH}/v1.0/users/{ORGANIZER}/onlineMeetings"
SAFE_OPTIONS = graph_options(MeetingOptions())
SAFE = {**MADE, **SAFE_OPTIONS}


def request(**values):
    return MeetingRequest(external_id="e1", organizer_object_id=ORGANIZER, subject="Virtual visit", **values)


def ensure(teams, **values):
    return teams.ensure_meeting(request(**values))


def test_a_token_is_asked_for_once_and_used_everywhere(http, teams, tokens):
    http.post(f"{MEETINGS}/createOrGet", json=MADE)
    http.patch(f"{MEETINGS}/MSo1%3D", json=SAFE)
    ensure(teams)
    ensure(teams)
    assert tokens.call_count == 1
    assert {call.request.headers["Authorization"] for call in http.calls if GRAPH in call.request.url} == {
        "Bearer t0k3n"
    }


def test_a_token_that_ends_within_a_minute_is_replaced(http, teams):
    http.replace("POST", TOKEN_URL, json={"access_token": "short", "expires_in": 60})
    for _ in range(2):
        token.access_token(teams.connection, teams.session)
    http.assert_call_count(TOKEN_URL, 2)


def test_the_secret_and_the_scope_are_in_the_form(http, teams):
    token.access_token(teams.connection, teams.session)
    form = dict(pair.split("=") for pair in http.calls[0].request.body.split("&"))
    assert form["grant_type"] == "client_credentials"
    assert form["client_secret"] == "s3cret"
    assert form["scope"] == "https%3A%2F%2Fgraph.example.org%2F.default"


def test_a_certificate_signs_an_assertion_that_names_its_thumbprint(http, tokens, certificate):
    connection = TeamsConnection(
        entra_base_url=ENTRA, graph_base_url=GRAPH, tenant_id=TENANT, client_id=CLIENT, certificate=certificate
    )
    token.access_token(connection, build_session())
    form = dict(pair.split("=") for pair in http.calls[0].request.body.split("&"))
    assert "client_secret" not in form
    loaded = x509.load_pem_x509_certificate(certificate.certificate.encode())
    thumbprint = base64.urlsafe_b64encode(loaded.fingerprint(hashes.SHA256())).decode().rstrip("=")
    header = jwt.get_unverified_header(form["client_assertion"])
    assert (header["alg"], header["x5t#S256"]) == ("PS256", thumbprint)
    claims = jwt.decode(form["client_assertion"], loaded.public_key(), algorithms=["PS256"], audience=TOKEN_URL)
    assert claims["iss"] == claims["sub"] == CLIENT


def test_an_expired_secret_is_for_an_administrator_to_repair(http, teams):
    http.replace("POST", TOKEN_URL, status=401, json={"error": "invalid_client", "error_description": "AADSTS7000222"})
    with pytest.raises(ConfigurationError, match="invalid_client") as refused:
        ensure(teams)
    assert refused.value.code == "entra.credentials_refused"
    assert "AADSTS7000222" not in str(refused.value)


def test_an_application_without_secret_or_certificate_asks_nobody(http, tokens):
    connection = TeamsConnection(entra_base_url=ENTRA, graph_base_url=GRAPH, tenant_id=TENANT, client_id=CLIENT)
    with pytest.raises(ConfigurationError, match=r"entra\.credentials_missing"):
        token.access_token(connection, build_session())
    assert tokens.call_count == 0


def test_secrets_are_not_in_the_representation_of_a_connection(teams, certificate):
    assert "s3cret" not in repr(teams)
    assert "PRIVATE KEY" not in repr(certificate)


def test_a_refused_token_is_replaced_once(http, teams, tokens):
    http.post(f"{MEETINGS}/createOrGet", status=401, json=graph_error("InvalidAuthenticationToken"))
    http.post(f"{MEETINGS}/createOrGet", json=MADE)
    http.patch(f"{MEETINGS}/MSo1%3D", json=SAFE)
    assert ensure(teams).id == "MSo1="
    assert tokens.call_count == 2


def test_a_token_that_is_refused_twice_is_an_error(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=401, json=graph_error("InvalidAuthenticationToken"))
    with pytest.raises(ConfigurationError) as refused:
        ensure(teams)
    assert refused.value.code == "graph.token_refused"
    http.assert_call_count(f"{MEETINGS}/createOrGet", 2)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "message",
    [
        f"App {CLIENT} is not authorized to Create meeting on behalf of user {ORGANIZER}",
        f"No application access policy found for this app: {CLIENT} on the user: {ORGANIZER}.",
    ],
)
def test_a_missing_access_policy_names_the_two_cmdlets(http, teams, status, message):
    http.post(f"{MEETINGS}/createOrGet", status=status, json=graph_error("Unauthorized", message))
    with pytest.raises(ConfigurationError) as refused:
        ensure(teams)
    assert refused.value.code == "graph.access_policy_missing"
    assert refused.value.user_message.splitlines()[1:] == [
        f'New-CsApplicationAccessPolicy -Identity EHR-Connector-Virtual-Visits -AppIds "{CLIENT}"',
        f'Grant-CsApplicationAccessPolicy -PolicyName EHR-Connector-Virtual-Visits -Identity "{ORGANIZER}"',
    ]


def test_a_missing_permission_is_named(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=403, json=graph_error("Forbidden", "Missing role permissions"))
    with pytest.raises(ConfigurationError) as refused:
        ensure(teams)
    assert refused.value.code == "graph.permission_missing"
    assert "OnlineMeetings.ReadWrite.All" in refused.value.user_message


def test_throttling_says_how_long_to_wait(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=429, headers={"Retry-After": "17"}, json=graph_error("TooManyRequests"))
    with pytest.raises(UpstreamUnavailable) as refused:
        ensure(teams)
    assert (refused.value.code, refused.value.retry_after) == ("graph.throttled", 17)


def test_graph_is_left_alone_for_as_long_as_it_asked(http, teams, monkeypatch):
    throttled = http.post(f"{MEETINGS}/createOrGet", status=429, headers={"Retry-After": "17"}, json={})
    clock = [1000.0]
    monkeypatch.setattr(throttle.time, "monotonic", lambda: clock[0])
    for seconds, left in ((0, 17), (16.5, 1)):
        clock[0] = 1000.0 + seconds
        with pytest.raises(UpstreamUnavailable) as refused:
            ensure(teams)
        assert (refused.value.code, refused.value.retry_after) == ("graph.throttled", left)
    assert throttled.call_count == 1
    clock[0] = 1017.5
    http.replace(responses.POST, f"{MEETINGS}/createOrGet", status=201, json=MADE)
    http.patch(f"{MEETINGS}/MSo1%3D", json=SAFE)
    assert ensure(teams).id == "MSo1="


def test_another_application_may_still_ask(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=429, headers={"Retry-After": "17"}, json={})
    with pytest.raises(UpstreamUnavailable):
        ensure(teams)
    throttle.check(dataclasses.replace(teams.connection, client_id=str(uuid.UUID(int=9))))


def test_an_error_says_graphs_code_and_not_its_message(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=400, json=graph_error("BadRequest", f"user {ORGANIZER} is odd"))
    with pytest.raises(UpstreamRejected, match="BadRequest") as refused:
        ensure(teams)
    assert ORGANIZER not in str(refused.value)


def test_an_error_page_instead_of_json_is_an_error_too(http, teams):
    http.post(f"{MEETINGS}/createOrGet", status=502, body="<html>Bad gateway</html>")
    with pytest.raises(UpstreamUnavailable, match=r"graph\.failing"):
        ensure(teams)


def test_options_are_set_with_the_preference_for_new_members(http, teams):
    http.post(f"{MEETINGS}/createOrGet", json=MADE)
    wanted = [
        matchers.json_params_matcher(SAFE_OPTIONS),
        matchers.header_matcher({"Prefer": "include-unknown-enum-members"}),
    ]
    http.patch(f"{MEETINGS}/MSo1%3D", json=SAFE, match=wanted)
    assert ensure(teams) == OnlineMeeting(id=MADE["id"], join_web_url=MADE["joinWebUrl"])


@pytest.mark.parametrize(
    ("audio", "number"),
    [
        ({"tollNumber": "+1 608-555-0100", "tollFreeNumber": None, "conferenceId": "19"}, "+1 608-555-0100"),
        ({"tollFreeNumber": "+1 800-555-0199", "conferenceId": "19"}, "+1 800-555-0199"),
        ({"tollNumber": None, "tollFreeNumber": None, "conferenceId": "19"}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_how_a_meeting_is_joined_by_telephone_is_kept_where_graph_tells_it(http, teams, audio, number):
    http.post(f"{MEETINGS}/createOrGet", json={**MADE, "audioConferencing": audio})
    http.patch(f"{MEETINGS}/MSo1%3D", json=SAFE)
    made = ensure(teams)
    assert (made.dial_in_number, made.dial_in_id) == (number, "19" if number else "")


def test_a_tenant_without_the_new_lobby_gets_the_strictest_old_one_and_we_know(http, teams):
    http.post(f"{MEETINGS}/createOrGet", json=MADE)
    http.patch(f"{MEETINGS}/MSo1%3D", status=400, json=graph_error("BadRequest"))
    strict = {"scope": "organizer", "isDialInBypassEnabled": False}
    body = {**SAFE_OPTIONS, "lobbyBypassSettings": strict}
    http.patch(f"{MEETINGS}/MSo1%3D", json={**SAFE, "lobbyBypassSettings": strict},
               match=[matchers.json_params_matcher(body)])  # fmt: skip
    wanted = SAFE_OPTIONS["lobbyBypassSettings"]
    assert ensure(teams).option_differences == {"lobbyBypassSettings": {"wanted": wanted, "got": strict}}


def test_a_meeting_whose_options_cannot_be_set_is_not_handed_out(http, teams):
    http.post(f"{MEETINGS}/createOrGet", json=MADE)
    http.patch(f"{MEETINGS}/MSo1%3D", status=503, json=graph_error("ServiceUnavailable"))
    with pytest.raises(UpstreamUnavailable):
        ensure(teams)


def test_every_option_that_came_back_otherwise_is_named():
    got = {**SAFE_OPTIONS, "allowedPresenters": "everyone", "allowMeetingChat": None}
    assert compare_options(got, wanted=SAFE_OPTIONS) == {
        "allowedPresenters": {"wanted": "organization", "got": "everyone"},
        "allowMeetingChat": {"wanted": "limited", "got": None},
    }
    assert set(compare_options({}, wanted=SAFE_OPTIONS)) == set(SAFE_OPTIONS)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, graph_error("Forbidden"), "graph.permission_missing"),
        (404, graph_error("NotFound"), "graph.rejected"),
        (503, {}, "graph.failing"),
        (200, {"value": ""}, "graph.no_patient_link"),
        (200, [], "graph.not_json"),
    ],
)
def test_without_a_browser_address_patients_get_the_ordinary_one_and_we_know_why(http, teams, status, body, code):
    http.get(f"{MEETINGS}/MSo1%3D/getVirtualAppointmentJoinWebUrl", status=status, json=body)
    online = OnlineMeeting(id=MADE["id"], join_web_url=MADE["joinWebUrl"])
    link = teams.patient_link(online, organizer_object_id=ORGANIZER)
    assert (link.url, link.is_fallback, link.error_code) == (MADE["joinWebUrl"], True, code)


@pytest.mark.parametrize("status", [204, 404])
def test_deleting_twice_is_fine(http, teams, status):
    http.delete(f"{MEETINGS}/MSo1%3D", status=status)
    teams.delete_meeting("MSo1=", organizer_object_id=ORGANIZER)


def test_a_delete_that_is_refused_is_an_error(http, teams):
    http.delete(f"{MEETINGS}/MSo1%3D", status=400, json=graph_error("BadRequest"))
    with pytest.raises(UpstreamRejected):
        teams.delete_meeting("MSo1=", organizer_object_id=ORGANIZER)


def test_nothing_is_sent_while_entra_is_away(http, teams):
    http.replace("POST", TOKEN_URL, status=503)
    create = http.post(f"{MEETINGS}/createOrGet", json=MADE)
    with pytest.raises(ConnectorError) as refused:
        ensure(teams)
    assert refused.value.retryable
    assert isinstance(create, responses.BaseResponse)
    assert create.call_count == 0

import pytest

from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from epic.authorization import BackendAuthorization
from epic.backend import BackendTokens
from epic.telehealth import ConnectionChange, ConnectionStatusSettings, set_external_connection_status

TOKEN = "/interconnect/oauth2/token"
PATH = "/interconnect/api/epic/2018/Telehealth/ContextLinking/SetExternalConnectionStatus"


@pytest.fixture
def tell(peer, session, connection, now):
    """Tell Epic that a person connected or disconnected."""
    for number in range(1, 4):
        peer.answers(TOKEN, {"access_token": f"at-{number}", "token_type": "bearer", "expires_in": 3600})
    authorization = BackendAuthorization(connection=connection, tokens=BackendTokens())

    def call(stored=None, *, role="provider", is_connected=True):
        change = ConnectionChange(conference_id="1853", external_id="AOKAFOR", role=role, is_connected=is_connected)
        settings = ConnectionStatusSettings.from_json(stored or {})
        return set_external_connection_status(
            session, connection, change, settings=settings, authorization=authorization, now=now
        )

    return call


def test_epic_is_told_with_the_parameters_seen_in_the_field(peer, tell):
    peer.answers(PATH)
    assert tell() == 200
    request = peer.calls(PATH)[0]
    assert request.method == "GET"
    assert request.query == {
        "ConferenceID": "1853",
        "ExternalID": "AOKAFOR",
        "ExternalIDType": "2",
        "VendorName": "EHR connector",
        "ConnectionStatus": "1",
    }
    assert request.headers["Authorization"] == "Bearer at-1"
    assert request.headers["Epic-Client-Id"] == "provider-app"


@pytest.mark.parametrize(
    ("role", "id_type"), [("provider", "2"), ("interpreter", "2"), ("patient", "1"), ("proxy", "1"), ("guest", "1")]
)
def test_the_kind_of_id_follows_the_role(peer, tell, role, id_type):
    peer.answers(PATH)
    tell(role=role, is_connected=False)
    assert peer.calls(PATH)[0].query["ExternalIDType"] == id_type
    assert peer.calls(PATH)[0].query["ConnectionStatus"] == "2"


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_everything_that_differs_between_sites_is_a_setting(peer, tell, method):
    peer.answers("/interconnect/api/epic/2026/Status")
    tell(
        {
            "path": "/api/epic/2026/Status",
            "method": method,
            "parameters": {"status": "Status"},
            "connected": 7,
            "external_id_types": {"provider": "9"},
            "vendor_name": "LAMNA VIDEO",
        }
    )
    request = peer.calls("/interconnect/api/epic/2026/Status")[0]
    assert request.method == method
    assert request.query == {
        "ConferenceID": "1853",
        "ExternalID": "AOKAFOR",
        "ExternalIDType": "9",
        "VendorName": "LAMNA VIDEO",
        "Status": "7",
    }


@pytest.mark.parametrize(
    ("stored", "entry"),
    [
        ({"colour": "red"}, "colour"),
        ({"method": "DELETE"}, "method"),
        ({"path": "https://evil.test/"}, "path"),
        ({"path": "//evil.test/"}, "path"),
        ({"parameters": {"other": "x"}}, "parameters"),
        ({"parameters": "x"}, "parameters"),
        ({"external_id_types": {"boss": "1"}}, "external_id_types"),
        ({"vendor_name": None}, "vendor_name"),
    ],
)
def test_wrong_settings_are_refused_and_named(stored, entry):
    with pytest.raises(ConfigurationError) as caught:
        ConnectionStatusSettings.from_json(stored)
    assert caught.value.code == "epic.connection_status_settings"
    assert caught.value.detail == entry


def test_a_refused_token_is_replaced_once(peer, tell):
    peer.answers(PATH, status=401)
    peer.answers(PATH, status=200)
    assert tell() == 200
    assert [call.headers["Authorization"] for call in peer.calls(PATH)] == ["Bearer at-1", "Bearer at-2"]


def test_a_second_refusal_is_final(peer, tell):
    peer.answers(PATH, status=401)
    with pytest.raises(UpstreamRejected) as caught:
        tell()
    assert (caught.value.code, caught.value.status) == ("epic.not_authorized", 401)
    assert len(peer.calls(PATH)) == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(400, UpstreamRejected), (404, UpstreamRejected), (500, UpstreamUnavailable)]
)
def test_other_refusals_are_told_apart(peer, tell, status, kind):
    peer.answers(PATH, status=status)
    with pytest.raises(kind):
        tell()
    assert len(peer.calls(PATH)) == 1


def test_a_role_without_a_kind_of_id_is_a_configuration_error(peer, tell):
    with pytest.raises(ConfigurationError):
        tell(role="visitor")
    assert peer.received == []

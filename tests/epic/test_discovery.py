import pytest

from core.errors import ConfigurationError, UpstreamRejected, UpstreamUnavailable
from epic.discovery import discover

FHIR = "/interconnect/api/FHIR/R4"
SMART = f"{FHIR}/.well-known/smart-configuration"
METADATA = f"{FHIR}/metadata"


def smart_configuration(url):
    return {
        "issuer": f"{url}/interconnect/oauth2",
        "authorization_endpoint": f"{url}/interconnect/oauth2/authorize",
        "token_endpoint": f"{url}/interconnect/oauth2/token",
        "jwks_uri": f"{url}/interconnect/oauth2/jwks",
        "capabilities": ["launch-ehr"],
    }


def capability_statement(url, **software):
    uris = [{"url": "authorize", "valueUri": f"{url}/o/authorize"}, {"url": "token", "valueUri": f"{url}/o/token"}]
    extension = {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "software": software or {"name": "Epic", "version": "May 2026"},
        "rest": [{"mode": "server", "security": {"extension": [extension]}}],
    }


def test_smart_configuration_gives_the_addresses_and_metadata_the_versions(peer, session):
    peer.answers(SMART, smart_configuration(peer.url))
    peer.answers(METADATA, capability_statement(peer.url))

    found = discover(session, f"{peer.url}{FHIR}/", client_id="provider-app")

    assert found.smart.token_endpoint == f"{peer.url}/interconnect/oauth2/token"
    assert found.smart.issuer == f"{peer.url}/interconnect/oauth2"
    assert (found.server.software, found.server.fhir_version, found.source) == (
        "Epic May 2026",
        "4.0.1",
        "smart-configuration",
    )


def test_each_request_names_the_client_and_asks_for_json(peer, session):
    peer.answers(SMART, smart_configuration(peer.url))
    peer.answers(METADATA, capability_statement(peer.url))
    discover(session, f"{peer.url}{FHIR}", client_id="provider-app")
    asked = {request.path: request.headers for request in peer.received}
    assert asked[SMART]["Accept"] == "application/json"
    assert asked[METADATA]["Accept"] == "application/fhir+json"
    assert {headers["Epic-Client-Id"] for headers in asked.values()} == {"provider-app"}


def test_without_smart_configuration_the_capability_statement_is_used(peer, session):
    peer.answers(METADATA, capability_statement(peer.url))
    peer.answers("/o/.well-known/openid-configuration", {"jwks_uri": f"{peer.url}/o/keys"})

    found = discover(session, f"{peer.url}{FHIR}")

    assert found.source == "metadata"
    assert found.smart.issuer == f"{peer.url}/o"
    assert found.smart.authorization_endpoint == f"{peer.url}/o/authorize"
    assert found.smart.jwks_uri == f"{peer.url}/o/keys"


def test_an_incomplete_smart_configuration_is_not_half_used(peer, session):
    peer.answers(SMART, {"authorization_endpoint": "https://elsewhere.example.org/authorize"})
    peer.answers(METADATA, capability_statement(peer.url))
    peer.answers("/o/.well-known/openid-configuration", {"jwks_uri": f"{peer.url}/o/keys"})
    assert discover(session, f"{peer.url}{FHIR}").smart.authorization_endpoint == f"{peer.url}/o/authorize"


def test_versions_are_not_needed_where_smart_configuration_answers(peer, session):
    peer.answers(SMART, smart_configuration(peer.url))
    peer.answers(METADATA, b"<CapabilityStatement/>", content_type="application/fhir+xml")
    found = discover(session, f"{peer.url}{FHIR}")
    assert (found.server.software, found.server.fhir_version) == ("", "")


def test_an_xml_answer_is_a_clear_refusal(peer, session):
    peer.answers(METADATA, b"<CapabilityStatement/>", content_type="application/fhir+xml")
    with pytest.raises(UpstreamRejected) as caught:
        discover(session, f"{peer.url}{FHIR}")
    assert caught.value.code == "epic.not_json"


def test_a_server_without_oauth_is_named_as_such(peer, session):
    peer.answers(METADATA, {"resourceType": "CapabilityStatement", "rest": [{"security": {"extension": "odd"}}, 7]})
    with pytest.raises(ConfigurationError) as caught:
        discover(session, f"{peer.url}{FHIR}")
    assert caught.value.code == "epic.discovery_incomplete"


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/oauth2/authorize", "https:///authorize"])
def test_an_address_that_is_no_web_address_is_refused(peer, session, address):
    peer.answers(SMART, {**smart_configuration(peer.url), "authorization_endpoint": address})
    with pytest.raises(ConfigurationError) as caught:
        discover(session, f"{peer.url}{FHIR}")
    assert caught.value.code == "epic.discovery_unsafe"


def test_a_failing_server_can_be_asked_again(peer, session):
    peer.answers(SMART, status=503)
    with pytest.raises(UpstreamUnavailable) as caught:
        discover(session, f"{peer.url}{FHIR}")
    assert caught.value.code == "epic.failing"


def test_a_closed_port_is_unreachable_and_no_request_is_made_for_a_wrong_address(peer, session):
    with pytest.raises(UpstreamUnavailable) as caught:
        discover(session, f"http://127.0.0.1:1{FHIR}")
    assert caught.value.code == "epic.unreachable"
    with pytest.raises(ConfigurationError):
        discover(session, f"{peer.url}/interconnect")
    assert peer.received == []

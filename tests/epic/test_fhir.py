import json
from datetime import UTC, datetime

import pytest

from core.errors import UpstreamRejected
from epic.authorization import BasicAuthorization
from epic.fhir import Note, ObservationCode, communication, create, observation

AT = datetime(2026, 11, 24, 19, 55, 48, tzinfo=UTC)
FHIR = "/interconnect/api/FHIR/R4"
CODE = ObservationCode(system="urn:oid:1.2.840.114350.1.13.0.1.7.2.707679", code="14021", display="Video visit")


def note(**values):
    identifier = "6a1f0000-0000-4000-8000-000000000001"
    return Note(
        **{"identifier": identifier, "patient_id": "eX.rivera", "encounter_id": "eE1", "at": AT, "text": "T", **values}
    )


def test_a_communication_is_about_patient_and_encounter():
    resource = communication(note())
    assert resource["resourceType"] == "Communication"
    assert resource["status"] == "completed"
    assert resource["subject"] == {"reference": "Patient/eX.rivera"}
    assert resource["encounter"] == {"reference": "Encounter/eE1"}
    assert resource["sent"] == "2026-11-24T19:55:48+00:00"
    assert resource["payload"] == [{"contentString": "T"}]
    assert resource["identifier"] == [
        {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:6a1f0000-0000-4000-8000-000000000001"}
    ]


def test_an_observation_carries_the_code_that_the_site_mapped():
    resource = observation(note(), CODE)
    assert resource["status"] == "final"
    assert resource["code"]["coding"] == [{"system": CODE.system, "code": "14021", "display": "Video visit"}]
    assert (resource["effectiveDateTime"], resource["valueString"]) == ("2026-11-24T19:55:48+00:00", "T")


def test_an_encounter_that_is_not_known_is_left_out():
    assert "encounter" not in communication(note(encounter_id=""))


def test_the_patient_is_not_in_a_representation():
    assert "rivera" not in repr(note())


@pytest.mark.parametrize("build", [communication, lambda given: observation(given, CODE)])
def test_a_resource_is_created_where_its_type_lives(peer, session, connection, now, build):
    resource = build(note())
    path = f"{FHIR}/{resource['resourceType']}"
    peer.answers(path, status=201)
    authorization = BasicAuthorization(client_id="backend-app", username="U", password="p")
    assert create(session, connection, resource, authorization=authorization, now=now) == 201
    request = peer.calls(path)[0]
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/fhir+json"
    assert json.loads(request.body) == resource


def test_a_flowsheet_row_that_is_not_mapped_is_named(peer, session, connection, now):
    body = {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [{"code": "59188"}]}}]}
    peer.answers(f"{FHIR}/Observation", body, status=400)
    authorization = BasicAuthorization(client_id="backend-app", username="U", password="p")
    with pytest.raises(UpstreamRejected) as caught:
        create(session, connection, observation(note(), CODE), authorization=authorization, now=now)
    assert caught.value.code == "epic.observation_not_mapped"

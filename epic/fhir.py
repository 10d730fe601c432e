"""Write to a chart over FHIR R4, for sites without the telehealth services: Communication or Observation.

Source: HL7 FHIR R4; Epic on FHIR, ``Communication.create`` and ``Observation.create``. Encounter and Appointment
are read-only at Epic, and AuditEvent is absent, so neither is ever written. Checked November 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from epic.authorization import Authorization
from epic.calls import call
from epic.connection import EpicConnection

_IDENTIFIERS = "urn:ietf:rfc:3986"  # the system of identifiers that are themselves URIs
_CATEGORY = {"text": "Video visit"}

Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Note:
    """One sentence about a video visit that belongs into the patient's chart.

    :param identifier: our own id of it, a UUID; lets a site recognise a repetition.
    :param patient_id: FHIR id of the patient; ``encounter_id`` likewise, '' when no launch has brought it.
    """

    identifier: str
    patient_id: str = field(repr=False)
    encounter_id: str = field(default="", repr=False)
    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class ObservationCode:
    """The code that the site has mapped to a flowsheet row."""

    system: str
    code: str
    display: str = ""


def communication(note: Note) -> Resource:
    """Return ``note`` as a completed Communication."""
    return {
        "resourceType": "Communication",
        "identifier": [_identifier(note)],
        "status": "completed",
        "category": [_CATEGORY],
        **_context(note),
        "sent": note.at.isoformat(),
        "payload": [{"contentString": note.text}],
    }


def observation(note: Note, code: ObservationCode) -> Resource:
    """Return ``note`` as a final Observation of ``code``."""
    coding = {"system": code.system, "code": code.code, **({"display": code.display} if code.display else {})}
    return {
        "resourceType": "Observation",
        "identifier": [_identifier(note)],
        "status": "final",
        "category": [_CATEGORY],
        "code": {"coding": [coding]},
        **_context(note),
        "effectiveDateTime": note.at.isoformat(),
        "valueString": note.text,
    }


def create(
    session: requests.Session,
    connection: EpicConnection,
    resource: Mapping[str, Any],
    *,
    authorization: Authorization,
    now: datetime,
) -> int:
    """Create ``resource`` and return the HTTP status it was accepted with.

    Unlike a connection status, a second call makes a second entry: do not repeat after ``OutcomeUnknown``.

    :raises ConnectorError: as :func:`epic.calls.call`.
    """
    url = f"{connection.fhir_base_url}/{resource['resourceType']}"
    headers = {"Accept": "application/fhir+json", "Content-Type": "application/fhir+json"}
    response = call(session, "POST", url, authorization=authorization, now=now, headers=headers, json=resource)
    return response.status_code


def _identifier(note: Note) -> dict[str, str]:
    return {"system": _IDENTIFIERS, "value": f"urn:uuid:{note.identifier}"}


def _context(note: Note) -> Resource:
    context: Resource = {"subject": {"reference": f"Patient/{note.patient_id}"}}
    if note.encounter_id:
        context["encounter"] = {"reference": f"Encounter/{note.encounter_id}"}
    return context

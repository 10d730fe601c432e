"""From a row of the outbox to the call that tells Epic, with everything read from the database beforehand."""

from dataclasses import dataclass, field
from datetime import datetime

import requests

from core.errors import ConfigurationError
from epic import fhir
from epic.authorization import Authorization
from epic.connection import EpicConnection
from epic.telehealth import ConnectionChange, ConnectionStatusSettings, set_external_connection_status
from writeback import wording
from writeback.models import WritebackEvent
from writeback.models.configuration import DeviceTestMeans, Means
from writeback.models.event import NO_CONFERENCE_ID, NO_PATIENT
from writeback.services.choices import Choices

Kind = WritebackEvent.Kind
_SERVICES = {Means.CONNECTION_STATUS, DeviceTestMeans.SERVICE}


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one Epic is reached: its address, who we are there and what was approved."""

    connection: EpicConnection
    authorization: Authorization = field(repr=False)
    choices: Choices


class NotSendable(Exception):
    """Epic cannot be told, because an id is not known that it needs; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class StatusCall:
    """A call that sets a state at Epic; making it twice does no harm."""

    change: ConnectionChange
    settings: ConnectionStatusSettings
    means: str
    is_repeatable: bool = True

    def make(self, session: requests.Session, way: Way, *, now: datetime) -> int:
        """Make the call and return the HTTP status it was accepted with."""
        return set_external_connection_status(
            session, way.connection, self.change, settings=self.settings, authorization=way.authorization, now=now
        )


@dataclass(frozen=True, kw_only=True)
class ChartCall:
    """A call that adds an entry to the chart; after an unknown outcome it must not be repeated."""

    resource: fhir.Resource = field(repr=False)
    means: str
    is_repeatable: bool = False

    def make(self, session: requests.Session, way: Way, *, now: datetime) -> int:
        """Make the call and return the HTTP status it was accepted with."""
        return fhir.create(session, way.connection, self.resource, authorization=way.authorization, now=now)


Call = StatusCall | ChartCall


def missing(*, conference_id: str | None, patient_id: str | None, means: str) -> str:
    """Return the code of what is not known that ``means`` needs, '' when everything is."""
    if means in _SERVICES:
        return "" if conference_id else NO_CONFERENCE_ID
    return "" if patient_id else NO_PATIENT


def is_repeatable(means: str) -> bool:
    """Return whether a call by ``means`` may be made again when nobody knows whether it arrived."""
    return means in _SERVICES


def call_for(row: WritebackEvent, choices: Choices) -> Call:
    """Return the call that tells Epic what ``row`` holds.

    A person who came from a text has no user id in the EHR; Epic then gets our own opaque id of them.

    :raises NotSendable: when an id is not known. :raises ConfigurationError: when the choices are not usable.
    """
    is_device_test = row.kind == Kind.DEVICE_TEST
    means = choices.means_of(is_device_test=is_device_test)
    if means == DeviceTestMeans.STORE_ONLY:
        raise ConfigurationError("writeback.store_only", "Results of device tests are kept here only.")
    lacking = missing(conference_id=row.visit.conference_id, patient_id=row.visit.fhir_patient_id, means=means)
    if lacking:
        raise NotSendable(lacking)
    if means in _SERVICES:
        return _status_call(row, choices, means=means)
    note = _note(row)
    if means == Means.COMMUNICATION:
        return ChartCall(resource=fhir.communication(note), means=means)
    code = choices.observation_code(is_device_test=is_device_test)
    return ChartCall(resource=fhir.observation(note, code), means=means)


def _status_call(row: WritebackEvent, choices: Choices, *, means: str) -> StatusCall:
    participant = row.participant
    external_id = (participant.ehr_user_id or str(participant.pk)) if participant else str(row.visit_id)
    is_good = row.result.get("passed", False) if row.kind == Kind.DEVICE_TEST else row.kind == Kind.CONNECTED
    change = ConnectionChange(
        conference_id=row.visit.conference_id,
        external_id=external_id,
        role=participant.role if participant else "patient",
        is_connected=bool(is_good),
    )
    settings = choices.connection_status if means == Means.CONNECTION_STATUS else choices.device_test_service
    return StatusCall(change=change, settings=settings, means=means)


def _note(row: WritebackEvent) -> fhir.Note:
    zone = row.visit.time_zone
    if row.kind == Kind.DEVICE_TEST:
        text = wording.device_test_text(row.result, at=row.occurred_at, time_zone=zone)
    else:
        text = wording.presence_text(who=row.who, kind=row.kind, at=row.occurred_at, time_zone=zone)
    return fhir.Note(
        identifier=str(row.pk),
        patient_id=str(row.visit.fhir_patient_id),
        encounter_id=row.visit.fhir_encounter_id or "",
        at=row.occurred_at,
        text=text,
    )

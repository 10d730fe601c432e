"""How Epic opens a visit: a one-time launch token for one record, and the context that goes with it."""

import re
from datetime import timedelta
from urllib.parse import urlencode

from sandbox import faults, ledger, once, people, setup
from sandbox.epic import addresses
from sandbox.models import Appointment

LAUNCH_LASTS = timedelta(minutes=5)
AUDIENCES = ("provider", "patient", "proxy")


def launch_url(appointment: Appointment, audience: str) -> str:
    """Return the address that Hyperspace or MyChart opens for this visit, with a fresh token.

    :raises LookupError: when there is no such audience, or no FDI record of its kind was typed in.
    """
    if audience not in AUDIENCES:
        raise LookupError(f"audience: {', '.join(AUDIENCES)}")
    kind = _record_kind(appointment, audience)
    record = setup.record(appointment.environment, kind)
    if record is None:
        raise LookupError(f"no {kind} record in {appointment.environment}")
    # As long as Epic's own: a JWT-like text that a careless limit would cut.
    launch = f"{once.new_token()}.{once.new_token() * 4}"
    once.issue(
        "launch", launch, lasts=LAUNCH_LASTS, csn=appointment.csn, environment=appointment.environment,
        client_id=record["client_id"], audience=audience,
    )  # fmt: skip
    ledger.record("epic", "launch_issued", key=appointment.csn, audience=audience)
    return f"{record['launch_url']}?{urlencode({'iss': addresses.fhir(appointment.environment), 'launch': launch})}"


def subject(appointment: Appointment, audience: str) -> str:
    """Return who is signed in, as a FHIR reference."""
    if audience == "provider":
        return f"Practitioner/{people.PROVIDERS[appointment.provider].fhir_id}"
    patient = people.PATIENTS[appointment.patient]
    return f"RelatedPerson/{patient.proxy_id}" if audience == "proxy" else f"Patient/{patient.fhir_id}"


def context(appointment: Appointment, audience: str) -> dict[str, str]:
    """Return what a launch is about: Epic's own fields, and those of the record."""
    own = {
        "patient": people.PATIENTS[appointment.patient].fhir_id,
        "encounter": f"eE.{appointment.csn}",
        "appointment": f"eA.{appointment.csn}",
    }
    return {**own, **_record_context(appointment, audience)}


def _record_kind(appointment: Appointment, audience: str) -> str:
    """Return which FDI record opens the visit: group visits have records of their own."""
    kind = "provider" if audience == "provider" else "patient"
    return f"{kind}_group" if appointment.is_group else kind


def _record_context(appointment: Appointment, audience: str) -> dict[str, str]:
    """Return the record's context with its tokens filled in; tokens that Epic does not know stay."""
    record = setup.record(appointment.environment, _record_kind(appointment, audience)) or {}
    pairs = dict(pair.partition("=")[::2] for pair in str(record.get("context", "")).split("&") if pair)
    fault = faults.get("epic.record")
    if fault == "no_conference":
        pairs = {name: value for name, value in pairs.items() if "%CONFERENCEID%" not in value}
    values = {
        "CSN": "%CSN%" if fault == "unknown_token" else appointment.csn,
        "CONFERENCEID": appointment.conference_id,
        "PERFDEPID": people.PROVIDERS[appointment.provider].department.partition("^")[0],
        "EPICUSERID": people.PROVIDERS[appointment.provider].user if audience == "provider" else "",
        "EPICUSERFHIRID": subject(appointment, audience).partition("/")[2],
    }
    return {
        name: re.sub(r"%(\w+)(?:;[^%]*)?%", lambda token: values.get(token.group(1), token.group()), value)
        for name, value in pairs.items()
    }

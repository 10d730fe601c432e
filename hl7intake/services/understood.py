"""What was understood of a message, in words and numbers that say nothing of who the patient is."""

from typing import Any

from hl7intake.mapping import Ended, Meaning, NotForUs, Scheduled
from visits.services.scheduling import ScheduledPerson


def summary_of(meaning: Meaning) -> dict[str, Any]:
    """Return times (ISO 8601, UTC), codes and counts; of a number only whether one was given."""
    if isinstance(meaning, NotForUs):
        return {}
    if isinstance(meaning, Ended):
        return {"ends_as": meaning.state.value, **_status(meaning)}
    visit = meaning.visit
    return {
        "starts_at": visit.starts_at.isoformat(),
        "ends_at": visit.ends_at.isoformat(),
        "visit_type": visit.visit_type,
        "visit_type_name": visit.visit_type_name,
        "department": visit.department,
        "coverage": meaning.coverage.value,
        "is_group": visit.is_group,
        "interpreter_language": visit.interpreter_language,
        "providers": len(visit.provider_ids),
        "patients": [_person(person) for person in visit.people],
        **_status(meaning),
    }


def _status(meaning: Scheduled | Ended) -> dict[str, str]:
    return {"status": meaning.status} if meaning.status else {}


def _person(person: ScheduledPerson) -> dict[str, str]:
    phone = {None: "not mentioned", "": "deleted or unusable"}.get(person.phone, "given")
    return {"phone": phone, "language": person.language}

"""The patients of an appointment, and the language an interpreter was booked for."""

from hl7intake.findings import Finding, FindingCode
from hl7intake.languages import language_code
from hl7intake.phones import choose_phone
from hl7intake.reader import Segment
from visits.services.scheduling import ScheduledPerson

_DEFAULT_LANGUAGE = "en"
_RECORD_NUMBER_TYPES = frozenset({"MR", "MRN", "EPI", "PI"})
_ID_TYPE = 5
_LONGEST_ID = 80


def read_people(pids: list[Segment], *, region: str) -> tuple[tuple[ScheduledPerson, ...], list[Finding]]:
    """Return every patient once, with the number to text and the language to use.

    :param region: ISO 3166-1 country whose local telephone numbers have no country code.
    """
    people: dict[str, ScheduledPerson] = {}
    findings: list[Finding] = []
    for position, pid in enumerate(pids, start=1):
        phone = choose_phone(pid, region=region)
        if phone.is_unusable:
            findings.append(Finding(FindingCode.PHONE_UNUSABLE, "PID-13"))
        language = _language(pid)
        if language is None and pid.text(15).strip():
            findings.append(Finding(FindingCode.LANGUAGE_UNKNOWN, "PID-15"))
            language = _DEFAULT_LANGUAGE
        record_number = _record_number(pid) or f"#{position}"
        person = ScheduledPerson(record_number=record_number, phone=phone.number, language=language or "")
        people.setdefault(record_number, person)
    return tuple(people.values()), findings


def read_interpreter_language(resources: list[Segment]) -> str:
    """Return the language of the booked interpreter (ISO 639-1), '' when none is booked.

    There is no field for it: senders book an AIP whose type (AIP-4) says interpreter and whose name
    (AIP-3) is the language.
    """
    for segment in resources:
        if segment.name == "AIP" and "INTERPRETER" in segment.raw(4).upper():
            names = (segment.text(3, component=number) for number in range(2, 6))
            known = (code for name in names if (code := language_code(name)))
            return next(known, "und")  # ISO 639-2 "undetermined": an interpreter, of a language we do not know
    return ""


def read_provider_ids(resources: list[Segment]) -> tuple[str, ...]:
    """Return the EHR ids of the booked personnel (AIP-3), interpreters left out, each once and in order."""
    found = (
        segment.text(3).strip()
        for segment in resources
        if segment.name == "AIP" and "INTERPRETER" not in segment.raw(4).upper()
    )
    return tuple(dict.fromkeys(identifier[:_LONGEST_ID] for identifier in found if identifier))


def _language(pid: Segment) -> str | None:
    return language_code(pid.text(15)) or language_code(pid.text(15, component=2))


def _record_number(pid: Segment) -> str:
    """Return the medical record number of PID-3, else its first id, else PID-2."""
    ids = [(one.text().strip(), one.text(_ID_TYPE).strip().upper()) for one in pid.repetitions(3)]
    given = [number for number, _ in ids if number]
    typed = [number for number, kind in ids if number and kind in _RECORD_NUMBER_TYPES]
    return next(iter(typed or given), "") or pid.text(2).strip()

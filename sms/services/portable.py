"""Texts in the configuration file: numbers that are held, own words, what is texted for each FHIR base URL.

Consents are not part of it: a person gives them.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from config_portal.models import FhirEndpoint, Organization
from config_portal.portability import Reading, apply, check, invalid
from core import audit
from sms.models import PhoneNumber, SmsConfiguration
from sms.services import drafts, previews, templates

_NUMBER_FIELDS = (
    "number", "supplier", "supplier_id", "kind", "country", "verification", "verification_reason",
    "messaging_service_sid", "per_minute",
)  # fmt: skip
_CLOCKS = ("quiet_from", "quiet_until")


def write_organization(organization: Organization, _now: datetime) -> dict[str, Any]:
    """Return the numbers that the organization holds, and its own words."""
    held = PhoneNumber.objects.for_organization(organization).held().order_by("number")
    return {"numbers": list(held.values(*_NUMBER_FIELDS)), "words": templates.own_words(organization)}


def read_organization(organization: Organization, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Take over numbers that are not here yet, and bring the words to ``content``.

    What is known of a number that is here stays: carriers and people said it since.

    :raises ConfigurationError: ``import.invalid``, also for a number that another organization holds.
    """
    changed = [number["number"] for number in content["numbers"] if _take_over(organization, number, reading)]
    words = content["words"]
    return changed + [
        f"words.{language}"
        for language in sorted({*words, *templates.own_words(organization)})
        if _write_words(organization, language, words.get(language, {}), reading)
    ]


def write(endpoint: FhirEndpoint, _now: datetime) -> dict[str, Any] | None:
    """Return what is drafted for ``endpoint``; None when nothing was ever chosen."""
    draft = drafts.draft_of(endpoint)
    return None if draft._state.adding else drafts.plain_choices(draft)


def read(endpoint: FhirEndpoint, content: Mapping[str, Any], reading: Reading) -> list[str]:
    """Bring the draft of ``endpoint`` to ``content``; the pause and the share stay, as they act at once.

    :raises ConfigurationError: ``import.invalid``.
    """
    wanted = {name: content[name] for name in drafts.FIELDS}
    if wanted == write(endpoint, reading.now):
        return []
    held = {number.number: number for number in PhoneNumber.objects.for_organization(endpoint.organization).held()}
    for name in ("number", "failover_number"):
        if wanted[name] not in {None, *held}:
            raise invalid(endpoint.name, f"the organization does not hold the number {wanted[name]}.")
        wanted[name] = held.get(wanted[name])
    wanted |= {name: time.fromisoformat(wanted[name]) if wanted[name] else None for name in _CLOCKS}
    check(SmsConfiguration(endpoint=endpoint, **wanted), {name: None for name in drafts.FIELDS if "number" not in name})
    for field, problem in drafts.contradictions(wanted).items():
        raise invalid(endpoint.name, f"{field}: {problem}")
    return drafts.save_draft(endpoint, wanted, actor=reading.actor) or list(drafts.FIELDS)


def _take_over(organization: Organization, content: Mapping[str, Any], reading: Reading) -> bool:
    known = PhoneNumber.objects.filter(number=content["number"], released_at=None).first()
    if known is not None and known.organization_id != organization.pk:
        raise invalid(organization.slug, f"another organization holds the number {known.number}.")
    if known is not None:
        return False
    number = PhoneNumber(organization=organization)
    apply(number, {name: content[name] for name in _NUMBER_FIELDS}, is_new=True)
    audit.record(
        "sms.number_taken_over", organization_id=organization.pk, actor=reading.actor, subject=number,
        number=number.number,
    )  # fmt: skip
    return True


def _write_words(organization: Organization, language: str, words: Mapping[str, str], reading: Reading) -> bool:
    unknown = set(words) - set(templates.KINDS)
    if unknown or not templates.is_known_language(language):
        raise invalid(organization.slug, f"there are no texts {', '.join(sorted(unknown)) or language}.")
    for preview in previews.previews(organization, language=language, words=words, now=reading.now):
        for finding in preview.findings:
            if finding.is_error:
                raise invalid(organization.slug, f"words.{language}.{preview.kind}: {finding.text}")
    return bool(templates.save_words(organization, language, words, actor=reading.actor))

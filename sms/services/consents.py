"""The two things an organization agrees to before anything is texted; taking one back stops sending at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from config_portal.models import Organization
from core import audit
from sms.models import SmsConsent

Kind = SmsConsent.Kind

WORDINGS: dict[str, str] = {
    Kind.PATIENTS: (
        "Our patients gave us their numbers to be reached about their care, or agreed to text messages about"
        " their visits. Our organization texts nobody who has said no."
    ),
    Kind.PROCESSING: (
        "For these messages the connector and the carrier behind our number may process patients' phone numbers"
        " and the times of their visits. Numbers are erased within one hour after the visit."
    ),
}


@dataclass(frozen=True)
class ConsentState:
    """One of the two, as it stands."""

    kind: str
    wording: str
    current: SmsConsent | None
    """The consent in force, None when it was never given or was withdrawn."""

    last: SmsConsent | None
    """The newest one, in force or not."""


def states(organization: Organization) -> list[ConsentState]:
    """Return both consents in the order of the page."""
    newest: dict[str, SmsConsent] = {}
    for consent in SmsConsent.objects.for_organization(organization).order_by("given_at"):
        newest[consent.kind] = consent
    return [_state(kind, newest.get(kind)) for kind in Kind.values]


def are_given(organization_id: UUID) -> bool:
    """Return whether both are in force: without them nothing is texted."""
    in_force = SmsConsent.objects.filter(organization_id=organization_id, withdrawn_at=None)
    return in_force.count() == len(Kind.values)


@transaction.atomic
def give(organization: Organization, kinds: list[str], *, actor: str, now: datetime) -> None:
    """Store that ``actor`` agreed to ``kinds`` in today's words; one that is in force stays as it was."""
    for kind in kinds:
        try:
            with transaction.atomic():
                consent = SmsConsent.objects.create(
                    organization=organization, kind=kind, wording=WORDINGS[kind], given_by=actor, given_at=now
                )
        except IntegrityError:  # in force already: a second click, or a colleague was faster
            continue
        audit.record("sms.consent_given", organization_id=organization.pk, actor=actor, subject=consent, kind=kind)


@transaction.atomic
def withdraw(organization: Organization, kind: str, *, actor: str, now: datetime) -> bool:
    """Take a consent back; from the commit on nothing is texted. False when it was not in force."""
    consent = (
        SmsConsent.objects.select_for_update().filter(organization=organization, kind=kind, withdrawn_at=None).first()
    )
    if consent is None:
        return False
    consent.withdrawn_by, consent.withdrawn_at = actor, now
    consent.save(update_fields=["withdrawn_by", "withdrawn_at"])
    audit.record("sms.consent_withdrawn", organization_id=organization.pk, actor=actor, subject=consent, kind=kind)
    return True


def _state(kind: str, newest: SmsConsent | None) -> ConsentState:
    current = newest if newest and newest.withdrawn_at is None else None
    return ConsentState(kind=kind, wording=current.wording if current else WORDINGS[kind], current=current, last=newest)

"""Approve a configuration, and from then on it is what runs; or send it back with a reason."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction

from config_portal import signals, snapshot
from config_portal.models import ApprovalRequest, ConfigurationVersion, EpicSignIn, FhirEndpoint
from config_portal.services import approvers, epic_sign_in
from config_portal.services.approvers import Approver, Standing
from config_portal.services.discovery import known_smart
from core import audit
from core.errors import ConfigurationError
from epic.connection import SmartEndpoints

LONGEST_REASON = 2000

# From Entra's answer to the approval there is one redirect.
CONFIRMED_FOR = timedelta(minutes=1)

CHANGED = "approval.changed_meanwhile"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What proves an approval: the sign-in to Epic, Entra's word, and whether the approver may edit too."""

    sign_in: EpicSignIn
    confirmed_at: datetime
    is_self_approved: bool


@transaction.atomic
def approve(
    endpoint: FhirEndpoint,
    approver: Approver,
    *,
    seen_digest: str,
    session_key: str,
    confirmed_at: datetime | None,
    now: datetime,
) -> ConfigurationVersion:
    """Approve what ``approver`` was shown, if it is still what the draft says.

    Sending the same approval twice approves once.

    :param seen_digest: digest of the snapshot that the page showed.
    :param session_key: of the browser in which the approver signed in to Epic.
    :param confirmed_at: when Entra last confirmed the approver's account, its user name and its roles.
    :raises ConfigurationError: as :func:`check_approval`, or ``approval.not_confirmed``.
    """
    locked = _locked(endpoint)
    running = _running(locked, approver, seen_digest)
    if running is not None:
        return running
    sign_in = _require_sign_in(locked, approver, seen_digest=seen_digest, session_key=session_key, now=now)
    if confirmed_at is None or now - confirmed_at > CONFIRMED_FOR:
        raise ConfigurationError(
            "approval.not_confirmed", "Microsoft has not confirmed your account just now. Press Approve again."
        )
    version = approve_configuration(
        locked,
        smart=_smart(locked),
        seen_digest=seen_digest,
        approved_by=approver.user.username,
        now=now,
        evidence=Evidence(sign_in=sign_in, confirmed_at=confirmed_at, is_self_approved=approver.may_edit),
    )
    sign_in.used_for = version
    sign_in.save(update_fields=["used_for"])
    endpoint.approved_version = version
    return version


@transaction.atomic
def check_approval(
    endpoint: FhirEndpoint, approver: Approver, *, seen_digest: str, session_key: str, now: datetime
) -> None:
    """Pass when nothing but Entra's confirmation is missing for the approval, or just this runs already.

    :raises ConfigurationError: ``approval.changed_meanwhile``, ``approval.not_allowed``,
        ``approval.sign_in_needed`` or ``approval.epic_not_asked``.
    """
    locked = _locked(endpoint)
    if _running(locked, approver, seen_digest) is None:
        _require_sign_in(locked, approver, seen_digest=seen_digest, session_key=session_key, now=now)


def _running(endpoint: FhirEndpoint, approver: Approver, seen_digest: str) -> ConfigurationVersion | None:
    """Return what runs if it is just what was shown."""
    _require_standing(endpoint, approver)
    running = endpoint.approved_version
    is_same = running is not None and running.digest == seen_digest == _draft_digest(endpoint)
    return running if is_same else None


def _smart(endpoint: FhirEndpoint) -> SmartEndpoints:
    smart = known_smart(endpoint)
    if smart is None:
        raise ConfigurationError("approval.epic_not_asked", "Epic has not said yet where its sign-in service is.")
    return smart


def _require_sign_in(
    endpoint: FhirEndpoint, approver: Approver, *, seen_digest: str, session_key: str, now: datetime
) -> EpicSignIn:
    """Return the sign-in to Epic that proves the approval of what was shown."""
    _smart(endpoint)
    if seen_digest != _draft_digest(endpoint):
        raise _changed()
    sign_in = epic_sign_in.current(endpoint, approver.user, session_key=session_key, now=now)
    if sign_in is None or not epic_sign_in.is_for_draft(sign_in, endpoint):
        raise ConfigurationError(
            "approval.sign_in_needed", "Sign in to this Epic first. A sign-in counts for five minutes."
        )
    return sign_in


@transaction.atomic
def approve_configuration(
    endpoint: FhirEndpoint,
    *,
    smart: SmartEndpoints,
    seen_digest: str | None,
    approved_by: str,
    now: datetime,
    evidence: Evidence | None = None,
) -> ConfigurationVersion:
    """Store the configuration as approved and let it run. Who may do so was checked before.

    :param seen_digest: digest of what the approver was shown; None for approvals from a command, where
        nothing was shown beforehand.
    :raises ConfigurationError: ``approval.changed_meanwhile`` when it is not what was shown.
    """
    locked = _locked(endpoint)
    content = snapshot.take(locked, smart=asdict(smart))
    digest = snapshot.digest(content)
    if seen_digest is not None and seen_digest != digest:
        raise _changed()
    last = locked.versions.first()
    same = locked.versions.filter(digest=digest).first()
    version = ConfigurationVersion.objects.create(
        endpoint=locked,
        number=last.number + 1 if last else 1,
        snapshot=content,
        digest=digest,
        approved_at=now,
        approved_by=approved_by,
        restores_number=same.number if same else None,
        **_evidence_fields(evidence),
    )
    locked.approved_version = version
    locked.save(update_fields=["approved_version"])
    endpoint.approved_version = version
    _answer(locked, ApprovalRequest.State.APPROVED, digest=digest, by=approved_by, now=now)
    audit.record(
        "configuration.approved",
        organization_id=locked.organization_id,
        actor=approved_by,
        subject=locked,
        number=version.number,
        digest=digest,
        self_approved=version.is_self_approved,
    )
    signals.configuration_approved.send(sender=FhirEndpoint, endpoint=locked, version=version)
    return version


@transaction.atomic
def ask(endpoint: FhirEndpoint, *, actor: str, now: datetime) -> ApprovalRequest:
    """Ask the approver to approve the draft; asking again while a request is open changes nothing.

    :raises ConfigurationError: ``approval.no_approver`` or ``approval.nothing_to_approve``.
    """
    locked = _locked(endpoint)
    if not locked.approver_username:
        raise ConfigurationError("approval.no_approver", "Name an approver for this FHIR base URL first.")
    digest = _draft_digest(locked)
    if locked.approved_version is not None and locked.approved_version.digest == digest:
        raise ConfigurationError("approval.nothing_to_approve", "Just this configuration is approved already.")
    request, is_new = ApprovalRequest.objects.get_or_create(
        endpoint=locked,
        state=ApprovalRequest.State.OPEN,
        defaults={"digest": digest, "asked_by": actor, "asked_at": now},
    )
    if is_new:
        audit.record(
            "approval.asked",
            organization_id=locked.organization_id,
            actor=actor,
            subject=locked,
            approver=locked.approver_username,
        )
    return request


@transaction.atomic
def send_back(
    endpoint: FhirEndpoint, approver: Approver, *, seen_digest: str, reason: str, now: datetime
) -> ApprovalRequest:
    """Send the draft back to those who edit it, with a reason; nothing that runs changes.

    :raises ConfigurationError: ``approval.changed_meanwhile``, ``approval.not_allowed`` or ``approval.no_reason``.
    """
    locked = _locked(endpoint)
    _require_standing(locked, approver, despite=Standing.SELF_FORBIDDEN)
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise ConfigurationError("approval.no_reason", "Say what has to be changed.")
    if seen_digest != _draft_digest(locked):
        raise _changed()
    by = approver.user.username
    last = locked.approval_requests.first()
    if last and (last.state, last.digest, last.reason) == (ApprovalRequest.State.SENT_BACK, seen_digest, reason):
        return last
    answered = _answer(locked, ApprovalRequest.State.SENT_BACK, digest=seen_digest, by=by, now=now, reason=reason)
    audit.record("approval.sent_back", organization_id=locked.organization_id, actor=by, subject=locked, reason=reason)
    return answered


def _answer(
    endpoint: FhirEndpoint, state: str, *, digest: str, by: str, now: datetime, reason: str = ""
) -> ApprovalRequest:
    """Close the open request with an answer; without one, note the answer as its own request."""
    answer = {"state": state, "digest": digest, "answered_by": by, "answered_at": now, "reason": reason}
    request = ApprovalRequest.objects.filter(endpoint=endpoint, state=ApprovalRequest.State.OPEN).first()
    if request is None:
        return ApprovalRequest.objects.create(endpoint=endpoint, asked_by=by, asked_at=now, **answer)
    for name, value in answer.items():
        setattr(request, name, value)
    request.save()
    return request


def _require_standing(endpoint: FhirEndpoint, approver: Approver, *, despite: Standing | None = None) -> None:
    found = approvers.standing(endpoint, approver)
    if found not in {Standing.MAY_APPROVE, despite}:
        raise ConfigurationError(
            "approval.not_allowed", "You cannot approve this configuration now.", detail=str(found)
        )


def _locked(endpoint: FhirEndpoint) -> FhirEndpoint:
    return snapshot.with_parts(FhirEndpoint.objects.select_for_update(of=("self",))).get(pk=endpoint.pk)


def _draft_digest(endpoint: FhirEndpoint) -> str:
    smart = known_smart(endpoint)
    return snapshot.digest(snapshot.take(endpoint, smart=asdict(smart) if smart else {}))


def _evidence_fields(evidence: Evidence | None) -> dict[str, object]:
    if evidence is None:
        return {}
    sign_in = evidence.sign_in
    return {
        "approver_tenant_id": sign_in.user.entra_tenant_id,
        "approver_object_id": sign_in.user.entra_object_id,
        "epic_issuer": sign_in.issuer,
        "epic_subject": sign_in.subject,
        "epic_signed_in_at": sign_in.signed_in_at,
        "entra_confirmed_at": evidence.confirmed_at,
        "is_self_approved": evidence.is_self_approved,
    }


def _changed() -> ConfigurationError:
    return ConfigurationError(CHANGED, "The configuration was changed after this page was opened. Read it again.")

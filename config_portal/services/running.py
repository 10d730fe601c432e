"""What runs at once and without an approval: pausing, letting run again, taking an approval back."""

from django.db import transaction

from config_portal.models import FhirEndpoint
from core import audit
from core.models import AuditEvent


@transaction.atomic
def pause(endpoint: FhirEndpoint, *, actor: str, reason: str = "") -> None:
    """Stop everything of ``endpoint`` from the next moment on: launches, texts, news to Epic."""
    said = {"reason": reason.strip()[:2000]} if reason.strip() else {}
    _set_paused(endpoint, is_paused=True, action="endpoint.paused", actor=actor, **said)


def last_pause(endpoint: FhirEndpoint) -> AuditEvent | None:
    """Return the event of the pause that holds, with who paused it and why; None while it runs."""
    if not endpoint.is_paused:
        return None
    pauses = AuditEvent.objects.filter(
        organization_id=endpoint.organization_id, action="endpoint.paused", subject_id=str(endpoint.pk)
    )
    return pauses.order_by("-sequence").first()


@transaction.atomic
def resume(endpoint: FhirEndpoint, *, actor: str) -> None:
    """Let the approved configuration run again; it is the same as before the pause."""
    _set_paused(endpoint, is_paused=False, action="endpoint.resumed", actor=actor)


@transaction.atomic
def revoke(endpoint: FhirEndpoint, *, actor: str, reason: str) -> None:
    """Take the approval back at once: nothing runs until the configuration is approved anew."""
    locked = FhirEndpoint.objects.select_for_update(of=("self",)).select_related("approved_version").get(pk=endpoint.pk)
    version = locked.approved_version
    if version is None:
        return
    locked.approved_version = None
    locked.save(update_fields=["approved_version"])
    endpoint.approved_version = None
    audit.record(
        "approval.withdrawn",
        organization_id=locked.organization_id,
        actor=actor,
        subject=locked,
        number=version.number,
        reason=reason.strip()[:2000],
    )


def _set_paused(endpoint: FhirEndpoint, *, is_paused: bool, action: str, actor: str, **said: str) -> None:
    locked = FhirEndpoint.objects.select_for_update(of=("self",)).get(pk=endpoint.pk)
    endpoint.is_paused = is_paused
    if locked.is_paused == is_paused:
        return
    locked.is_paused = is_paused
    locked.save(update_fields=["is_paused"])
    audit.record(action, organization_id=locked.organization_id, actor=actor, subject=locked, **said)

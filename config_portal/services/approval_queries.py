"""Where the approvals of an organization stand, and its rule about them."""

from django.db import transaction

from config_portal.models import ApprovalRequest, FhirEndpoint, Organization
from config_portal.services.drafts import Draft, drafts_of
from core import audit


def latest_requests(endpoints: list[FhirEndpoint]) -> dict[object, ApprovalRequest]:
    """Return the newest request of each of ``endpoints``, by endpoint id."""
    requests = ApprovalRequest.objects.filter(endpoint__in=endpoints)
    newest = requests.order_by("endpoint_id", "-asked_at").distinct("endpoint_id")
    return {request.endpoint_id: request for request in newest}


def drafts_with_requests(organization: Organization) -> list[tuple[Draft, ApprovalRequest | None]]:
    """Return every draft of the organization with the newest request for its approval."""
    drafts = drafts_of(FhirEndpoint.objects.for_organization(organization))
    requests = latest_requests([draft.endpoint for draft in drafts])
    return [(draft, requests.get(draft.endpoint.pk)) for draft in drafts]


@transaction.atomic
def set_self_approval(organization: Organization, *, is_forbidden: bool, actor: str) -> None:
    """Choose whether whoever may edit the configuration may approve it too."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.forbids_self_approval == is_forbidden:
        return
    name = "Two people are needed for an approval"
    changes = audit.differences({name: locked.forbids_self_approval}, {name: is_forbidden})
    locked.forbids_self_approval = is_forbidden
    locked.save(update_fields=["forbids_self_approval"])
    audit.record("approval.rule_changed", organization_id=locked.pk, actor=actor, subject=locked, changes=changes)

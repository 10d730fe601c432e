"""Setup step: every connection is approved as it is set up."""

from django.urls import reverse

from config_portal import wizard
from config_portal.models import ApprovalRequest
from config_portal.services.approval_queries import latest_requests
from config_portal.services.drafts import draft_of
from config_portal.wizard import Order, SetupContext, SetupStep, StepState, StepStatus

State = ApprovalRequest.State


def register() -> None:
    """Put the step on the list."""
    wizard.register(SetupStep(name="approve", title="Approve", order=Order.APPROVE, status=status))


def status(context: SetupContext) -> StepStatus:
    """Return done when what is set up is what runs; else who has to act, the earliest first."""
    endpoints = list(context.endpoints)
    if not endpoints:
        return StepStatus(state=StepState.BLOCKED, detail="Add a FHIR base URL first")
    drafts = [draft_of(endpoint) for endpoint in endpoints]
    waiting = [draft for draft in drafts if not draft.is_approved]
    if not waiting:
        last = max(draft.approved.approved_at for draft in drafts if draft.approved)
        detail = f"All {len(drafts)} connections are approved" if len(drafts) > 1 else "The connection is approved"
        return _status(StepState.DONE, detail, since=last, label="View")
    requests = latest_requests([draft.endpoint for draft in waiting])
    answered = [(draft, requests.get(draft.endpoint.pk)) for draft in waiting]
    sent_back = [
        (draft, request)
        for draft, request in answered
        if request and request.state == State.SENT_BACK and request.digest == draft.digest
    ]
    if sent_back:
        draft, request = sent_back[0]
        detail = f"{draft.endpoint.name} was sent back by {request.answered_by}: {_short(request.reason)}"
        return _status(StepState.NEEDS_YOU, detail, since=request.answered_at, label="Read the reason")
    asked = [(draft, request) for draft, request in answered if request and request.state == State.OPEN]
    names = ", ".join(draft.endpoint.name for draft in waiting)
    if asked:
        draft, request = min(asked, key=lambda row: row[1].asked_at)
        owner = draft.endpoint.approver_username
        return _status(StepState.WAITING, f"To approve: {names}", since=request.asked_at, owner=owner, label="Open")
    return _status(StepState.NEEDS_YOU, f"To approve: {names}", label="Open")


def _status(state: StepState, detail: str, *, label: str, since: object = None, owner: str = "") -> StepStatus:
    return StepStatus(
        state=state,
        detail=detail,
        owner=owner,
        since=since,  # type: ignore[arg-type]  # a datetime of a row, or None
        action_label=label,
        action_url=reverse("portal:approvals"),
    )


def _short(reason: str, most: int = 120) -> str:
    return reason if len(reason) <= most else f"{reason[:most].rstrip()}…"

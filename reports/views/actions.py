"""What staff may do about a visit: text again, send to Epic again, mark as handled, reveal a number."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError
from core.jobs import enqueue_after_commit, wake_after_commit
from reports.forms import ReasonForm
from reports.presenters.write_back import WritebackPresenter
from reports.services import contacts
from reports.views.visits import visit_of
from sms.models import SmsMessage
from sms.services import resending
from sms.tasks import deliver_due
from visits.models import Visit
from writeback import tasks as writeback_tasks
from writeback.models import WritebackEvent
from writeback.services import outbox

ACTORS = (Role.ADMIN, Role.SUPPORT)


@portal_page(*ACTORS)
@require_POST
def text_again(request: PortalRequest, visit_id: UUID, text_id: UUID) -> HttpResponse:
    """Send a text that did not arrive once more."""
    visit = visit_of(request, visit_id)
    text = get_object_or_404(SmsMessage.objects.filter(visit=visit), pk=text_id)
    try:
        resending.resend(text, reason="asked for on the visit's page", actor=request.user.username, now=timezone.now())
    except ConfigurationError as error:
        messages.error(request, f"Not sent again: {error.user_message}")
    else:
        enqueue_after_commit(deliver_due)
        messages.success(request, "The text is sent again.")
    return redirect("visits:detail", visit.pk)


@portal_page(*ACTORS)
@require_http_methods(["GET", "POST"])
def decide(request: PortalRequest, visit_id: UUID, row_id: UUID) -> HttpResponse:
    """Show why Epic was not told, and mark it as handled with a reason."""
    visit = visit_of(request, visit_id)
    row = _write_back_of(visit, row_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        decided = outbox.mark_handled(
            [row], actor=request.user.username, reason=form.cleaned_data["reason"], now=timezone.now()
        )
        _say(request, decided.done, "Marked as handled.", "It was settled meanwhile.")
        return redirect("visits:detail", visit.pk)
    context = {"visit": visit, "row": WritebackPresenter(row), "form": form, "crumbs": _crumbs(visit, "Tell Epic")}
    return render(request, "reports/decide.html", context)


@portal_page(*ACTORS)
@require_POST
def tell_again(request: PortalRequest, visit_id: UUID, row_id: UUID) -> HttpResponse:
    """Put a failed write-back in line again."""
    visit = visit_of(request, visit_id)
    row = _write_back_of(visit, row_id)
    decided = outbox.retry([row], actor=request.user.username, now=timezone.now())
    if decided.done:
        wake_after_commit(writeback_tasks.deliver, str(row.endpoint_id))
    _say(request, decided.done, "It is sent again.", "Left alone: Epic has had later news about the same person.")
    return redirect("visits:detail", visit.pk)


@portal_page(Role.SUPPORT)
@require_http_methods(["GET", "POST"])
def reveal(request: PortalRequest, visit_id: UUID) -> HttpResponse:
    """Show the numbers and links of a visit to somebody who gave a reason; the audit trail keeps it."""
    visit = visit_of(request, visit_id)
    form = ReasonForm(request.POST or None)
    context = {"visit": visit, "form": form, "crumbs": _crumbs(visit, "Number and link")}
    if request.method == "POST" and form.is_valid():
        context["contacts"] = contacts.reveal(
            visit, reason=form.cleaned_data["reason"], actor=request.user.username, now=timezone.now()
        )
    return render(request, "reports/reveal.html", context)


def _write_back_of(visit: Visit, row_id: UUID) -> WritebackEvent:
    rows = WritebackEvent.objects.filter(visit=visit).select_related("visit", "participant")
    return get_object_or_404(rows, pk=row_id)


def _say(request: PortalRequest, is_done: int, success: str, failure: str) -> None:
    if is_done:
        messages.success(request, success)
    else:
        messages.warning(request, failure)


def _crumbs(visit: Visit, here: str) -> list[tuple[str, str]]:
    page = reverse("visits:detail", args=[visit.pk])
    return [("Visits", reverse("visits:board")), (f"Visit {visit.session_id}", page), (here, "")]

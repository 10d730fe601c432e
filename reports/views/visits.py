"""Today's board, the search and the timeline of one visit."""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.page import EnvironmentBand
from reports.presenters.board import Board
from reports.presenters.figures import Figures
from reports.presenters.timeline import Reader, entries
from reports.presenters.visit import VisitPresenter
from reports.presenters.words import message_words
from reports.services import board, comparison, expectation, search, timeline
from reports.views.live import live_page
from visits.models import Visit

STAFF = (Role.ADMIN, Role.ANALYST, Role.SUPPORT)
# Who may resend and retry.
ACTORS = frozenset({Role.ADMIN, Role.SUPPORT})


@portal_page(*STAFF)
@require_safe
def today(request: PortalRequest) -> HttpResponse:
    """Show the visits of today, or of ``?day=``, in the organization's zone; live."""
    now = timezone.now()
    current = now.astimezone(ZoneInfo(request.organization.time_zone)).date()
    day = _day(request.GET.get("day", ""), current)
    shown = Board(
        organization=request.organization,
        listed=board.visits_on(request.organization, day),
        day=day,
        today=current,
        chosen=request.GET.get("show", ""),
        now=now,
    )
    return live_page(request, "reports/board.html", "reports/board_body.html", {"board": shown})


@portal_page(*STAFF)
@require_safe
def find(request: PortalRequest) -> HttpResponse:
    """Go to the visit that a number stands for, or say that there is none."""
    text = request.GET.get("q", "")[:200]
    found = search.find(request.organization, text)
    if len(found) == 1:
        return redirect("visits:detail", found[0].pk)
    rows = [VisitPresenter(row, timezone.now()) for row in board.rows_of(found)]
    message = None if found or not text.strip() else search.find_message(request.organization, text)
    context = {"rows": rows, "text": text, "message": message, "message_text": message_words(message)}
    return render(request, "reports/search.html", context)


@portal_page(*STAFF)
@require_safe
def detail(request: PortalRequest, visit_id: UUID) -> HttpResponse:
    """Show everything that happened to one visit, what comes next and what may be done; live."""
    visit = visit_of(request, visit_id)
    now = timezone.now()
    row = board.rows_of([visit])[0]
    moments = [*timeline.build(visit, now=now), *expectation.expected(row, now=now)]
    is_support = Role.SUPPORT in request.roles
    reader = Reader(sees_endings=is_support, may_act=bool(ACTORS & request.roles))
    shown = VisitPresenter(row, now)
    context = {
        "visit": shown,
        "figures": Figures(
            visit=shown,
            median_wait=comparison.median_lobby_wait(visit),
            test=comparison.last_device_test(visit),
        ),
        "entries": entries(moments, visit, reader),
        "reveal_url": reverse("visits:reveal", args=[visit.pk]) if is_support else "",
    }
    return live_page(request, "reports/visit.html", "reports/visit_body.html", context)


def visit_of(request: PortalRequest, visit_id: UUID) -> Visit:
    """Return a visit of the person's organization, and let the layout name its environment."""
    mine = Visit.objects.for_organization(request.organization).select_related("endpoint", "organization")
    visit = get_object_or_404(mine, pk=visit_id)
    endpoint = visit.endpoint
    request.environment_band = EnvironmentBand(
        environment=endpoint.environment, name=endpoint.name, detail=endpoint.base_url
    )
    return visit


def _day(text: str, default: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return default

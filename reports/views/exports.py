"""Files of reports: asked for, made in the background, fetched."""

from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import messages
from django.db.models import TextChoices
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.errors import ConfigurationError
from core.jobs import enqueue_after_commit
from reports import tasks
from reports.models import Export, SavedView
from reports.models.exports import ExportQuerySet
from reports.presenters.address import Address
from reports.presenters.exports import ExportRow
from reports.presenters.report import tabs_of
from reports.services import exporting
from reports.views.live import live_page
from reports.views.scene import READERS, privacy_of

_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Export.Format.PDF: "application/pdf",
}
_SHOWN = 20


@portal_page(*READERS)
@require_safe
def exports(request: PortalRequest) -> HttpResponse:
    """Show a person's files and how far they are; live."""
    rows = [ExportRow(one, request.organization.time_zone) for one in _mine(request)[:_SHOWN]]
    context = {"rows": rows, "tabs": tabs_of(Address(request.path, {}), "")}
    return live_page(request, "reports/exports.html", "reports/exports_body.html", context)


@portal_page(*READERS)
@require_POST
def export(request: PortalRequest) -> HttpResponse:
    """Have the report that is shown made into a file: all of its rows, or its figures on one page."""
    given = dict(parse_qsl(request.POST.get("query", "")[:2000]))
    wanted = _one_of(Export.Format, request.POST.get("format", ""), Export.Format.CSV)
    subject = _one_of(Export.Subject, request.POST.get("subject", ""), Export.Subject.VISITS)
    if wanted == Export.Format.PDF:
        subject = Export.Subject.SUMMARY
        given["tab"] = _one_of(SavedView.Tab, request.POST.get("tab", ""), SavedView.Tab.APPOINTMENTS)
    elif privacy_of(request).hides_rows:
        messages.error(request, "Single visits are hidden from report readers, so there are no rows to export.")
        return redirect("reports:usage")
    try:
        made = exporting.ask(
            request.organization,
            subject=subject,
            format=wanted,
            given=given,
            columns=Address("", given).listed("columns"),
            names_visits=bool({Role.ADMIN, Role.SUPPORT} & request.roles),
            actor=request.user.username,
            now=timezone.now(),
        )
    except ConfigurationError as error:
        messages.error(request, error.user_message)
    else:
        enqueue_after_commit(tasks.export, str(made.pk))
    return redirect("reports:exports")


@portal_page(*READERS)
@require_safe
def download(request: PortalRequest, export_id: UUID) -> HttpResponseBase:
    """Send a finished file, part by part."""
    made = get_object_or_404(_mine(request).filter(state=Export.DONE), pk=export_id)
    response = StreamingHttpResponse(exporting.content_of(made), content_type=_TYPES[Export.Format(made.format)])
    response.headers["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    response.headers["Content-Length"] = str(made.size)
    return response


def _one_of(choices: type[TextChoices], given: str, usual: str) -> str:
    return given if given in choices.values else usual


def _mine(request: PortalRequest) -> ExportQuerySet:
    mine = Export.objects.for_organization(request.organization).filter(requested_by=request.user.username)
    return mine.order_by("-created_at")

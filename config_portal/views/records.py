"""Review and finish: the integration records of each connection, to copy, download, print and compare."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from config_portal import records as registry
from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.presenters.approval import ApprovalState
from config_portal.presenters.records import Comparison, RecordsPage
from config_portal.records import IntegrationRecord
from config_portal.requests import PortalRequest
from config_portal.services import approval_queries, drift, record_files
from config_portal.services.drafts import draft_of
from config_portal.views.approval import SETUP, crumbs, find
from core import audit


class PasteForm(forms.Form):
    """What Epic has, of one record."""

    kind = forms.ChoiceField(label="Record")
    text = forms.CharField(
        label="What Epic has",
        max_length=drift.LONGEST,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Copy the record's screen in Epic, or a single value, and paste it here. Nothing is stored.",
    )

    def __init__(self, *args: object, listed: list[IntegrationRecord], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        choices = [(record.kind, record.title) for record in listed]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]


@portal_page(*SETUP)
@require_safe
def overview(request: PortalRequest) -> HttpResponse:
    """List the connections; with only one, go to it."""
    now = timezone.now()
    rows = [
        ApprovalState(draft=draft, request=asked, now=now)
        for draft, asked in approval_queries.drafts_with_requests(request.organization)
    ]
    if len(rows) == 1:
        return redirect("portal:records", rows[0].draft.endpoint.pk)
    context = {"rows": rows, "crumbs": crumbs()}
    return render(request, "config_portal/records_overview.html", context)


@portal_page(*SETUP)
@require_http_methods(["GET", "HEAD", "POST"])
def detail(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show the records; what is posted is compared with one of them and stored nowhere."""
    endpoint = find(request, endpoint_id)
    listed = registry.records_of(endpoint)
    form = PasteForm(request.POST if request.method == "POST" else None, listed=listed)
    comparison = None
    if request.method == "POST" and form.is_valid():
        record = next(record for record in listed if record.kind == form.cleaned_data["kind"])
        report = drift.compare(record, form.cleaned_data["text"], others=_others(endpoint))
        comparison = Comparison(report=report)
        _note(request, endpoint, report)
    draft = draft_of(endpoint)
    context = {
        "page_records": RecordsPage(
            endpoint=endpoint,
            records=listed,
            is_draft_different=endpoint.approved_version is not None and not draft.is_approved,
        ),
        "endpoint": endpoint,
        "form": form,
        "comparison": comparison,
        "crumbs": crumbs(_overview()),
    }
    return render(request, "config_portal/records.html", context)


@portal_page(*SETUP)
@require_safe
def hand_over(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show the sheet to print for the analyst who builds the records."""
    endpoint = find(request, endpoint_id)
    listed = registry.records_of(endpoint)
    page = RecordsPage(endpoint=endpoint, records=listed, is_draft_different=False)
    way = crumbs(_overview(), (f"Records of {endpoint.name}", reverse("portal:records", args=[endpoint.pk])))
    context = {"page_records": page, "endpoint": endpoint, "crumbs": way, "now": timezone.now()}
    return render(request, "config_portal/hand_over.html", context)


@portal_page(*SETUP)
@require_safe
def download(request: PortalRequest, endpoint_id: UUID, kind: str) -> HttpResponse:
    """Answer all records as a file."""
    endpoint = find(request, endpoint_id)
    listed, now = registry.records_of(endpoint), timezone.now()
    if kind == "txt":
        body, content_type = record_files.as_text(endpoint, listed, now=now), "text/plain; charset=utf-8"
    elif kind == "csv":
        body, content_type = record_files.as_csv(listed), "text/csv; charset=utf-8"
    elif kind == "json":
        body, content_type = record_files.as_json(endpoint, listed, now=now), "application/json"
    else:
        raise Http404
    response = HttpResponse(body, content_type=content_type)
    name = f"integration-records-{endpoint.environment}-{endpoint.name}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _overview() -> tuple[str, str]:
    return "Review and finish", reverse("portal:records_overview")


def _others(endpoint: FhirEndpoint) -> dict[str, str]:
    others = FhirEndpoint.objects.for_organization(endpoint.organization).exclude(pk=endpoint.pk)
    return {str(other.launch_id): f"{other.get_environment_display().lower()}, {other.name}" for other in others}


def _note(request: PortalRequest, endpoint: FhirEndpoint, report: drift.DriftReport) -> None:
    audit.record(
        "records.compared",
        organization_id=request.organization.pk,
        actor=request.user.username,
        subject=endpoint,
        record=report.record.kind,
        differing=report.differing,
    )

"""The pre-flight check: start it, watch it, read what it found."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.forms.preflight import InputsForm
from config_portal.models import FhirEndpoint, PreflightRun
from config_portal.presenters.crumbs import PREFLIGHT, under_setup
from config_portal.presenters.endpoints import EndpointRow
from config_portal.presenters.preflight import RunPage, run_page
from config_portal.requests import PortalRequest, show_band
from config_portal.services.preflight import draft_digest, request_preflight
from config_portal.services.setup import latest_runs
from config_portal.tasks import run_preflight_task
from core.jobs import enqueue_after_commit

SETUP_ROLES = (Role.ADMIN, Role.ANALYST)


@portal_page(*SETUP_ROLES)
@require_safe
def listed(request: PortalRequest) -> HttpResponse:
    """List the FHIR base URLs with how their last check ended."""
    endpoints = list(FhirEndpoint.objects.for_organization(request.organization).select_related("approved_version"))
    runs = latest_runs(endpoints)
    rows = [EndpointRow(endpoint, runs.get(endpoint.pk)) for endpoint in endpoints]
    return render(request, "config_portal/preflights.html", {"rows": rows, "crumbs": under_setup()})


@portal_page(*SETUP_ROLES)
@require_safe
def detail(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show the latest run of one FHIR base URL; the same address answers the live refresh."""
    endpoint = _endpoint(request, endpoint_id)
    page = _latest(endpoint)
    if request.headers.get("HX-Request") == "true":
        return render(request, "config_portal/_preflight_lines.html", {"run": page, "endpoint": endpoint})
    return _page(request, endpoint, page, InputsForm())


@portal_page(*SETUP_ROLES)
@require_POST
def start(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Start a run; while one is under way it is shown instead."""
    endpoint = _endpoint(request, endpoint_id)
    form = InputsForm(request.POST)
    if not form.is_valid():
        return _page(request, endpoint, _latest(endpoint), form)
    run = request_preflight(endpoint, inputs=form.cleaned_data, actor=request.user.username, now=timezone.now())
    enqueue_after_commit(run_preflight_task, str(run.pk))
    return redirect("portal:preflight", endpoint.pk)


def _page(request: PortalRequest, endpoint: FhirEndpoint, page: RunPage | None, form: InputsForm) -> HttpResponse:
    show_band(request, endpoint)
    context = {"run": page, "endpoint": endpoint, "form": form, "crumbs": under_setup(PREFLIGHT)}
    return render(request, "config_portal/preflight.html", context)


def _latest(endpoint: FhirEndpoint) -> RunPage | None:
    run = PreflightRun.objects.filter(endpoint=endpoint).defer("inputs").order_by("-created_at").first()
    return run_page(run, is_stale=run.digest != draft_digest(endpoint)) if run else None


def _endpoint(request: PortalRequest, endpoint_id: UUID) -> FhirEndpoint:
    mine = FhirEndpoint.objects.for_organization(request.organization)
    joined = mine.select_related("organization__teams_tenant", "approved_version")
    return get_object_or_404(joined, pk=endpoint_id)

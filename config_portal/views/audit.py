"""The audit trail: who did what, when, and whether the record of it is whole."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.presenters.audit import AuditRow, ChainPresenter
from config_portal.requests import PortalRequest
from config_portal.services import audit_trail
from core import audit, scope
from core.spreadsheet import csv_lines

READERS = (Role.ADMIN, Role.ANALYST, Role.SUPPORT)
_FORMATS = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class AuditFilterForm(forms.Form):
    """What to look for; everything is optional."""

    q = forms.CharField(label="Reference or action", required=False, max_length=64, strip=True)
    actor = forms.CharField(label="Who", required=False, max_length=120, strip=True)
    area = forms.ChoiceField(label="Area", required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, areas: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(area, area.replace("_", " ").capitalize()) for area in areas]
        self.fields["area"].choices = [("", "Everything"), *choices]  # type: ignore[attr-defined]

    def wanted(self) -> audit_trail.AuditFilter:
        """Return the filter; parts that cannot be read look for nothing in particular."""
        self.is_valid()
        given = self.cleaned_data
        return audit_trail.AuditFilter(
            text=given.get("q") or "",
            actor=given.get("actor") or "",
            area=given.get("area") or "",
            since=given.get("since"),
            until=given.get("until"),
        )


@portal_page(*READERS)
@require_safe
def trail(request: PortalRequest) -> HttpResponse:
    """Show the events that are looked for, newest first, fifty at a time."""
    visible = audit_trail.visible_events(request.organization, request.user, request.roles)
    form = AuditFilterForm(request.GET, areas=audit_trail.areas(visible))
    wanted = form.wanted()
    events = audit_trail.filtered(visible, wanted, organization=request.organization)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:  # noqa: PLR2004 - what a bigint holds
        events = events.filter(sequence__lt=int(before))
    page = list(events[: audit_trail.PAGE + 1])
    shown = page[: audit_trail.PAGE]
    context = {
        "form": form,
        "rows": [AuditRow(event, request.organization.time_zone) for event in shown],
        "chain": ChainPresenter(audit_trail.last_verification(request.organization)),
        "older": _query(request, before=shown[-1].sequence) if len(page) > len(shown) else "",
        "is_filtered": not wanted.is_empty,
        "is_first": not before,
        "only_own": not request.roles & {Role.ADMIN, Role.ANALYST},
        "exports": [(name.upper(), _query(request, format=name)) for name in _FORMATS],
    }
    return render(request, "config_portal/audit.html", context)


@portal_page(*READERS)
@require_safe
def export(request: PortalRequest) -> HttpResponseBase:
    """Answer the events that are looked for as a file; that they were taken is an event too."""
    kind = request.GET.get("format", "csv")
    kind = kind if kind in _FORMATS else "csv"
    visible = audit_trail.visible_events(request.organization, request.user, request.roles)
    wanted = AuditFilterForm(request.GET, areas=audit_trail.areas(visible)).wanted()
    events = audit_trail.filtered(visible, wanted, organization=request.organization)
    lines = (
        audit_trail.exported_json(events)
        if kind == "json"
        else csv_lines(audit_trail.COLUMNS, audit_trail.exported_rows(events))
    )
    audit.record("audit.exported", organization_id=request.organization.pk, actor=request.user.username, format=kind)
    name = f"audit-{request.organization.slug}-{timezone.now():%Y%m%dT%H%MZ}.{kind}"
    response = StreamingHttpResponse(scope.kept(lines), content_type=_FORMATS[kind])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@portal_page(Role.ADMIN, Role.ANALYST)
@require_POST
def verify(request: PortalRequest) -> HttpResponse:
    """Recompute the whole chain now."""
    report = audit.verify(request.organization.pk, now=timezone.now())
    if report.is_intact:
        messages.success(request, f"All {report.checked:,} events are as they were written.")
    else:
        messages.error(request, f"Event {report.broken_at} does not hold. Tell the operator of the connector.")
    return redirect("portal:audit")


def _query(request: PortalRequest, **changed: object) -> str:
    kept = {name: value for name, value in request.GET.items() if value and name not in {"before", "format"}}
    return "?" + urlencode({**kept, **changed})

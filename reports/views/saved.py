"""Saved views: kept, opened, sent by e-mail, removed."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core import mail
from reports.forms import SaveViewForm, ScheduleForm
from reports.models import SavedView
from reports.presenters.address import Address
from reports.presenters.letter import path_of
from reports.presenters.report import tabs_of
from reports.presenters.saved import SavedRow
from reports.services import saved_views
from reports.views.scene import READERS


@portal_page(*READERS)
@require_safe
def views(request: PortalRequest) -> HttpResponse:
    """Show a person's views and those that others share."""
    listed = saved_views.visible_to(request.user, request.organization)
    context = {
        "rows": [SavedRow(view, path_of(view), is_own=view.owner_id == request.user.pk) for view in listed],
        "tabs": tabs_of(Address(request.path, {}), ""),
        "zone": request.organization.time_zone,
    }
    return render(request, "reports/saved_views.html", context)


@portal_page(*READERS)
@require_http_methods(["GET", "POST"])
def save(request: PortalRequest) -> HttpResponse:
    """Keep the report that was shown under a name."""
    form = SaveViewForm(request.POST or None, initial={"tab": request.GET.get("tab", ""), "query": _query(request)})
    if request.method == "POST" and form.is_valid():
        saved_views.save(request.organization, request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("reports:views")
    crumbs = [("Reports", reverse("reports:usage")), ("Save this view", "")]
    return render(request, "reports/save_view.html", {"form": form, "crumbs": crumbs})


@portal_page(*READERS)
@require_http_methods(["GET", "POST"])
def schedule(request: PortalRequest, view_id: UUID) -> HttpResponse:
    """Have one of one's own views sent by e-mail."""
    view = _own(request, view_id)
    initial = {"cadence": view.cadence, "recipients": "\n".join(view.recipients)}
    form = ScheduleForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved_views.schedule(view, now=timezone.now(), **form.cleaned_data)
        messages.success(request, "It is sent." if view.cadence else "It is not sent.")
        return redirect("reports:views")
    crumbs = [("Reports", reverse("reports:usage")), ("Saved views", reverse("reports:views")), (view.name, "")]
    context = {"form": form, "view": view, "crumbs": crumbs, "has_mail": mail.is_configured()}
    return render(request, "reports/schedule.html", context)


@portal_page(*READERS)
@require_POST
def remove(request: PortalRequest, view_id: UUID) -> HttpResponse:
    """Remove one of one's own views, and end its sending."""
    _own(request, view_id).delete()
    messages.success(request, "Removed.")
    return redirect("reports:views")


def _own(request: PortalRequest, view_id: UUID) -> SavedView:
    own = SavedView.objects.for_organization(request.organization).select_related("organization", "owner")
    return get_object_or_404(own, pk=view_id, owner=request.user)


def _query(request: PortalRequest) -> str:
    """Return what was chosen, as far as a report understands it."""
    return Address.of("", request.GET).query

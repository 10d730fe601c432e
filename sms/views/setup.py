"""What is texted for one Epic connection: the draft, and the switches that act at once."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config_portal.access import portal_page
from config_portal.models import FhirEndpoint
from config_portal.requests import PortalRequest
from sms.forms.setup import BaseReminders, ReminderFormSet, SetupForm, reminder_rows
from sms.presenters.overview import ConnectionRow
from sms.presenters.previews import PreviewColumn
from sms.services import drafts, planning, previews, templates
from sms.views.shared import READERS, can_edit, crumbs, find_endpoint

_ADD = "add_reminder"


@portal_page(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint(request: PortalRequest, endpoint_id: UUID) -> HttpResponse:
    """Show and store what is texted for one Epic connection; the analyst reads it, the administrator writes."""
    found = find_endpoint(request, endpoint_id)
    data = request.POST if request.method == "POST" and can_edit(request) else None
    form, reminders = _forms(found, data)
    if data is None:
        return _page(request, found, form=form, reminders=reminders)
    if _ADD in data:
        return _page(request, found, form=form, reminders=_with_another_row(data))
    are_good = reminders.is_valid()
    form.has_reminders = not are_good or bool(reminders.minutes)
    if not (form.is_valid() and are_good):
        return _page(request, found, form=form, reminders=reminders)
    choices = {**form.cleaned_data, "reminder_minutes": reminders.minutes}
    drafts.save_draft(found, choices, actor=request.user.username)
    if drafts.needs_approval(found):
        messages.success(request, "Saved. It takes effect once the configuration is approved.")
    else:
        messages.success(request, "Saved. This is what is approved and runs.")
    return redirect("sms_setup:endpoint", found.pk)


def _forms(found: FhirEndpoint, data: Any) -> tuple[SetupForm, BaseReminders]:
    draft = drafts.draft_of(found)
    runs = bool(planning.approved_choices_of(found))
    is_accepted = draft.number is not None and draft.number.is_blocked_by_carriers
    initial_form = {"is_blocked_accepted": is_accepted}  # accepted when this number was chosen
    form = SetupForm(data, instance=draft, initial=initial_form, organization=found.organization, runs=runs)
    initial = reminder_rows(draft.reminder_minutes)
    return form, ReminderFormSet(data, initial=None if data else initial, prefix="reminders")


def _with_another_row(data: Any) -> BaseReminders:
    """Return the reminders as typed, with one more row: the way without scripts."""
    more = data.copy()
    more["reminders-TOTAL_FORMS"] = str(int(data.get("reminders-TOTAL_FORMS") or 0) + 1)
    return ReminderFormSet(more, prefix="reminders")


def _page(request: PortalRequest, found: FhirEndpoint, *, form: SetupForm, reminders: BaseReminders) -> HttpResponse:
    own = templates.own_words(found.organization)
    columns = [
        PreviewColumn(
            code,
            [
                previews.preview(
                    found.organization,
                    kind=kind,
                    language=code,
                    templates=own,
                    now=timezone.now(),
                    opens_minutes=found.join_opens_minutes,
                )
                for kind in templates.KINDS
            ],
        )
        for code in templates.languages_of(found.organization)
    ]
    needs_approval = drafts.needs_approval(found)
    row = ConnectionRow(found, drafts.draft_of(found), needs_approval)
    context = {
        "endpoint": found,
        "title": f"SMS setup of {found.name}",
        "lead": row.summary,
        "status": row.status,
        "status_tone": row.status_tone,
        "asks_blocked": form["is_blocked_accepted"].value() or "is_blocked_accepted" in form.errors,
        "asks_stop": form["is_stop_accepted"].value() or "is_stop_accepted" in form.errors,
        "form": form,
        "reminders": reminders,
        "columns": columns,
        "can_edit": can_edit(request),
        "crumbs": crumbs(),
    }
    return render(request, "sms/endpoint.html", context)

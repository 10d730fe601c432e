"""What an organization chooses for its reports: a page."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.requests import PortalRequest
from core.jobs import enqueue_after_commit
from reports.forms import SettingsForm
from reports.services import choices
from reports.tasks import judge_again


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def settings(request: PortalRequest) -> HttpResponse:
    """Show the choices and store new ones; they take effect at once."""
    form = SettingsForm(request.POST or None, instance=choices.settings_of(request.organization))
    if request.method == "POST" and form.is_valid():
        is_new = choices.change(request.organization, form.cleaned_data, actor=request.user.username)
        if is_new:
            enqueue_after_commit(judge_again, str(request.organization.pk))
        messages.success(request, "Saved." if is_new else "Nothing was changed.")
        return redirect("reports:settings")
    crumbs = [("Reports", reverse("reports:usage")), ("Report settings", "")]
    return render(request, "reports/settings.html", {"form": form, "crumbs": crumbs})

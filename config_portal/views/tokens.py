"""Settings: the tokens of scripts."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Role
from config_portal.access import portal_page
from config_portal.models import ApiToken
from config_portal.models.api_token import Scope
from config_portal.requests import PortalRequest
from config_portal.services import api_tokens


class TokenForm(forms.Form):
    """A new token."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="What uses it, such as nightly-backup. The audit trail shows it."
    )
    scopes = forms.MultipleChoiceField(label="What it may do", choices=Scope, widget=forms.CheckboxSelectMultiple)
    days = forms.TypedChoiceField(
        label="How long it lasts", coerce=int, choices=[(30, "30 days"), (90, "90 days"), (365, "One year")], initial=90
    )


@portal_page(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PortalRequest) -> HttpResponse:
    """List the organization's tokens; make one and show it, this once."""
    form, secret, now = TokenForm(request.POST if request.method == "POST" else None), "", timezone.now()
    if request.method == "POST" and form.is_valid():
        _, secret = api_tokens.create_token(
            request.organization, **form.cleaned_data, actor=request.user.username, now=now
        )
        form = TokenForm()
    tokens = ApiToken.objects.for_organization(request.organization)
    usable = set(tokens.usable(now).values_list("pk", flat=True))
    rows = [(token, token.pk in usable) for token in tokens]
    return render(request, "config_portal/settings.html", {"form": form, "secret": secret, "rows": rows})


@portal_page(Role.ADMIN)
@require_POST
def revoke(request: PortalRequest, token_id: UUID) -> HttpResponse:
    """Make a token useless at once."""
    token = get_object_or_404(ApiToken.objects.for_organization(request.organization), pk=token_id)
    api_tokens.revoke_token(token, actor=request.user.username, now=timezone.now())
    messages.success(request, f"The token {token.name} can no longer be used.")
    return redirect("portal:settings")
